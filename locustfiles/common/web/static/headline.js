// The strip at the head, the figures of the stage under way and its verdict so far.
import { UNKNOWN, clock, count, duration, ends, level, make, milliseconds, money, number, percent, put, putTicked, seconds, text, ticked } from "./words.js";
import { interval, others, showParts } from "./tables.js";

const at = id => document.getElementById(id);
const STATES = {
  idle: "no run", checking: "first calls", confirming: "waits for an answer", running: "running", stopping: "stopping", ended: "ended",
};
const PHASES = { settle: "settling", measure: "measuring", hold: "finishing requests", drain: "draining", warmup: "warming up" };

function bar(name, progress, words) {
  const node = at(`${name}-bar`);
  if (progress === null || progress === undefined) node.removeAttribute("value");
  else node.value = progress;
  put(at(`${name}-left`), words);
}

/** Whether the stage under way is of conversations, or a part of its mix: the load says it before there are figures. */
const talks = (stage, figures) => {
  const now = (figures && figures.stage) || {};
  return stage.due === "conversations" || now.sessions || (now.parts || []).map(part => part.sessions).find(Boolean) || null;
};
const left = (s, most) => s !== null && s !== undefined ? `${clock(s)} left` : most ? `at most ${duration(most)}` : "time left not known";

const spent = spend => spend && spend.usd !== null && spend.usd !== undefined
  ? ` · at most ${money(spend.usd)} spent${spend.budget_usd ? ` of ${money(spend.budget_usd)}` : ""}` : "";

export function showStrip(load, figures) {
  const run = load.run, stage = load.stage, scenario = load.scenario || {};
  const name = run ? text(run.name) : scenario.name ? text(scenario.name) : "Swarmledger";
  put(at("name"), name);
  document.title = `${name}: ${STATES[load.state] || text(load.state)} – Swarmledger`;
  put(at("kicker"), [scenario.file && `scenario ${text(scenario.name)} (${text(scenario.file)})`, run && `folder ${text(run.folder)}`].filter(Boolean).join(" · "));
  const ended = load.state === "ended" && run ? text(run.status) : null;
  put(at("state"), ended ? `ended: ${ended}` : STATES[load.state] || text(load.state));
  at("state").className = `pill ${ended || text(load.state)}`;
  at("idle").hidden = Boolean(run);
  const workers = (load.workers || []).filter(of => of.worker !== "local").length;
  put(at("idle-workers"), workers ? `${count(workers)} worker${workers === 1 ? "" : "s"} connected.` : "");
  if (!run) return;
  const planned = run.stages_planned, place = stage ? stage.place ?? stage.stage : null;
  at("stage-row").hidden = !stage;
  if (stage) {
    put(at("stage-name"), `Stage ${count(place)}${planned ? ` of ${count(planned)}` : ""}`);
    put(at("stage-what"), `${text(stage.target)} · ${level({ ...stage, sessions: talks(stage, figures) })} · ${text(stage.payload)}${stage.repeat > 1 ? ` · repeat ${count(stage.repeat)}` : ""}${place !== stage.stage ? ` · number ${count(stage.stage)}` : ""} · ${PHASES[stage.phase] || text(stage.phase)}`);
    bar("stage", stage.progress, left(stage.left_s, stage.at_most_s));
  }
  const over = run.ended_at !== null && run.ended_at !== undefined;
  const told = run.planned_s && run.left_s !== null && run.left_s !== undefined;
  const share = over ? (run.status === "complete" || !planned ? 1 : run.stages_done / planned) : told ? Math.min(1, Math.max(0, 1 - run.left_s / run.planned_s)) : null;
  const done = `${count(run.stages_done)}${planned ? ` of ${count(planned)}` : ""} stage${(planned || run.stages_done) === 1 ? "" : "s"} finished`;
  put(at("run-what"), `${done} · ${count(run.requests)} requests${run.failed ? `, ${count(run.failed)} failed` : ""} · ${duration(run.elapsed_s)} ${over ? "in all" : "so far"}${spent(load.spend)}`);
  at("ahead").hidden = over || !run.ahead;
  put(at("ahead"), run.ahead ? `By the first calls it takes ${text(run.ahead)}.` : "");
  bar("run", share, over ? (run.exit_code === null || run.exit_code === undefined ? "" : `exit code ${run.exit_code}`) : left(run.left_s, null));
}

export function showVerdict(load, figures) {
  const stage = figures && figures.stage, ended = figures && figures.ended, box = at("verdict");
  const headline = load.run && load.run.ended_at && ended ? ended.headline : null;
  at("answer").hidden = !headline;
  putTicked(at("answer"), headline || "");
  box.hidden = !stage || Boolean(headline);
  if (box.hidden) return;
  const verdict = stage.verdict || null;
  box.className = `verdict ${verdict || "unknown"}`;
  put(at("verdict-word"), verdict ? `${text(verdict)} so far` : "No verdict yet");
  const slo = { met: "keeps its limits", missed: "misses its limits", undecided: "limits undecided: more samples would tell", unknown: "limits unknown" }[stage.slo];
  put(at("verdict-slo"), [slo, stage.judged && `judged by ${text(stage.judged)}`].filter(Boolean).join(" · "));
  const reasons = stage.reasons || [], list = at("verdict-reasons");
  if (list.told !== reasons.join("\n")) {
    list.told = reasons.join("\n");
    list.replaceChildren(...reasons.map(reason => make("li", {}, ...ticked(reason))));
  }
}

const pair = (stage, name, unit, words, n) => ({
  values: ["p50", "p95"].map(p => [p, words(stage[`${name}_${p}_${unit}`]), interval(stage, `${name}_${p}_${unit}`, words)]),
  under: n === null || n === undefined ? "" : `n = ${count(n)}`,
});

function cards(load, stage) {
  const n = stage.n || {}, errors = (stage.errors || []).map(([name, times]) => `${text(name)} ${count(times)}`).join(", ");
  const spend = load.spend || {}, users = load.users || {};
  const held = stage.sessions || {};
  const per10k = ends(money, stage.usd_per_10k_low, stage.usd_per_10k_high);
  return {
    ttft: pair(stage, "ttft", "s", seconds, n.ttft),
    tpot: pair(stage, "tpot", "ms", milliseconds, n.tpot),
    latency: pair(stage, "latency", "s", seconds, n.latency),
    rates: { values: [["requests/s", number(stage.requests_per_s)], ["output tokens/s", number(stage.output_tokens_per_s)]],
      under: stage.measured_s === null || stage.measured_s === undefined ? "" : `${count(stage.requests)} requests in ${seconds(stage.measured_s)} measured` },
    errors: { values: [["errors", percent(stage.error_rate)], ["throttled", percent(stage.throttle_share)]], under: errors || "" },
    tokens: { values: [["prompt", number(stage.prompt_tokens_mean)], ["output", number(stage.completion_tokens_mean)], ["from cache", percent(stage.cache_read_share)]],
      under: `mean of a request; share of prompt tokens${stage.cache_asked_share ? `, ${percent(stage.cache_asked_share)} asked` : ""}` },
    cost: {
      values: [["per 10k requests", money(stage.usd_per_10k), per10k], ["spent, at most", money(spend.usd)]],
      under: [text(stage.cost_reason) === UNKNOWN ? "" : text(stage.cost_reason),
        spend.budget_usd ? `${money(spend.left_usd)} left of ${money(spend.budget_usd)}` : "no budget set"].filter(Boolean).join("; "),
    },
    sessions: {
      values: [["finished", count(held.finished)], ["time p50", seconds(held.time_p50_s), interval(held, "time_p50_s", seconds)],
        ["time p95", seconds(held.time_p95_s), interval(held, "time_p95_s", seconds)], ["$ each", money(held.usd), ends(money, held.usd_low, held.usd_high)]],
      under: stage.sessions ? `${count(held.begun)} begun in the window${others(held)}` : "",
    },
    users: { values: [["users", count(users.running)], ["in flight", count(users.in_flight)]],
      under: users.planned === null || users.planned === undefined ? "" : `${count(users.planned)} planned` },
  };
}

export function showCards(load, figures) {
  const shown = cards(load, (figures && figures.stage) || {});
  for (const [name, of] of Object.entries(shown)) {
    const card = at(`card-${name}`), told = JSON.stringify(of);
    if (card.told === told) continue;
    card.told = told;
    card.querySelector("dl").replaceChildren(...of.values.map(([what, words, small]) =>
      make("div", { className: words === UNKNOWN ? "unknown" : "" }, make("dt", {}, what), make("dd", {}, words, small ? make("small", {}, small) : null))));
    put(card.querySelector("p"), of.under);
  }
  const stage = figures && figures.stage, parts = (stage && stage.parts) || [];
  at("card-sessions").hidden = !(stage && stage.sessions);
  at("parts").hidden = !parts.length;
  showParts(at("parts-table"), parts);
  const early = stage && (stage.measured_s === null || stage.measured_s === undefined) ? ": nothing is measured yet" : " so far";
  put(at("figures-of"), stage ? `Stage ${count(stage.stage)}${early}` : "Figures of the stage");
}
