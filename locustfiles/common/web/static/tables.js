// The tables of the page: finished stages, workers, earlier runs. Every cell is set as text.
import { UNKNOWN, count, ends, level, make, milliseconds, money, number, percent, seconds, text, ticked, utc } from "./words.js";

const SLO = { met: "met", missed: "missed", undecided: "undecided", unknown: "unknown", none: "none set" };

/** An end of the interval of a percentile: `latency_p95_low_s`, or with the unit before it. */
const end = (of, name, which) => {
  const at = name.lastIndexOf("_");
  return of[`${name.slice(0, at)}_${which}${name.slice(at)}`] ?? of[`${name}_${which}`];
};
export const interval = (of, name, words) => ends(words, end(of, name, "low"), end(of, name, "high"));

/** `, 4 under way, 1 failed`: what did not finish, of conversations. */
export const others = (of, before = "") => [["cut", "cut off"], ["under_way", "under way"], ["failed", "failed"], ["ended_early", "ended early"]]
  .filter(([name]) => of[before + name]).map(([name, words]) => `, ${count(of[before + name])} ${words}`).join("");
const percentile = (name, words) => row => [words(row[name]), interval(row, name, words)];
const tenThousand = usd => usd === null || usd === undefined ? null : usd * 10000;
/** heading, cell(row) -> [words, small words under them], whether it is a number */
const COLUMNS = [
  ["Verdict", row => [text(row.verdict), ""], false],
  ["Limits", row => [SLO[row.slo] || text(row.slo), row.slo_failed ? text(row.slo_failed) : ""], false],
  ["Requests", row => [count(row.requests), ""], true],
  ["Errors", row => [percent(row.error_rate), row.errors ? text(row.errors) : ""], true],
  ["Throttled", row => [percent(row.throttle_share), ""], true],
  ["Requests/s", row => [number(row.throughput_per_s), ends(number, row.throughput_low, row.throughput_high)], true],
  ["Output tokens/s", row => [number(row.completion_tokens_per_s), ""], true],
  ["TTFT p50", percentile("ttft_p50_s", seconds), true],
  ["TTFT p95", percentile("ttft_p95_s", seconds), true],
  ["TPOT p50", percentile("tpot_p50_ms", milliseconds), true],
  ["TPOT p95", percentile("tpot_p95_ms", milliseconds), true],
  ["Latency p50", percentile("latency_p50_s", seconds), true],
  ["Latency p95", percentile("latency_p95_s", seconds), true],
  ["Prompt tokens", row => [number(row.prompt_tokens_mean), ""], true],
  ["Output tokens", row => [number(row.completion_tokens_mean), ""], true],
  ["From cache", row => [percent(row.cache_read_share), ""], true],
  ["$ per 10k", row => [money(row.usd_per_10k_transactions),
    ends(money, tenThousand(row.usd_per_transaction_ci_low), tenThousand(row.usd_per_transaction_ci_high))], true],
  ["Conversations", row => [count(row.sessions_finished), row.sessions === null || row.sessions === undefined ? "" : `of ${count(row.sessions)} begun${others(row, "sessions_")}`], true],
  ["Their time p50", percentile("session_time_p50_s", seconds), true],
  ["Their time p95", percentile("session_time_p95_s", seconds), true],
  ["$ each", row => [money(row.usd_per_session), ""], true],
  ["Window", row => [seconds(row.window_s), row.ended_by ? `ended by ${text(row.ended_by)}` : ""], true],
  ["Why not VALID", row => [row.reasons && row.reasons.length ? [row.reasons].flat().join("; ") : "", ""], false],
];

const cell = ([words, small], css, tag = "td", more = {}) =>
  make(tag, { className: css, ...more }, ...(css === "long" ? ticked(words) : [words]), small ? make("small", {}, small) : null);

export function showStages(table, rows) {
  const told = JSON.stringify(rows);
  if (table.told === told) return;
  table.told = told;
  const used = COLUMNS.filter(([name, words, isNumber]) => !isNumber || rows.some(row => words(row)[0] !== UNKNOWN))
    .filter(([name, words]) => name !== "Why not VALID" || rows.some(row => words(row)[0]));
  const repeats = new Set(rows.map(row => row.repeat)).size > 1;
  table.tHead.replaceChildren(make("tr", {}, make("th", { scope: "col" }, "Stage"),
    ...used.map(([name, , isNumber]) => make("th", { scope: "col", className: isNumber ? "n" : "" }, name))));
  table.tBodies[0].replaceChildren(...rows.map(row => {
    const under = `stage ${count(row.stage)} · ${level(row)} · ${text(row.payload)}${repeats ? ` · repeat ${count(row.repeat)}` : ""}`;
    return make("tr", {}, cell([text(row.target), under], "", "th", { scope: "row" }), ...used.map(([name, words, isNumber]) => {
      const css = name === "Verdict" ? text(row.verdict) : name === "Limits" ? text(row.slo) : name === "Why not VALID" ? "long" : isNumber ? "n" : "";
      return cell(words(row), css);
    }));
  }));
}

/** Of a mix under way: its parts. */
export function showParts(table, parts) {
  const told = JSON.stringify(parts);
  if (table.told === told) return;
  table.told = told;
  table.tBodies[0].replaceChildren(...parts.map(of => make("tr", {},
    cell([text(of.target), `${text(of.payload)}${of.sessions ? ` · ${count(of.sessions.finished)} conversations finished${others(of.sessions)}` : ""}`], "", "th", { scope: "row" }),
    cell([text(of.verdict), ""], text(of.verdict)), cell([SLO[of.slo] || text(of.slo), ""], text(of.slo)),
    cell([percent(of.share_sent), `${percent(of.share)} planned`], "n"), cell([count(of.requests), ""], "n"), cell([percent(of.error_rate), ""], "n"),
    cell([number(of.throughput_per_s), ""], "n"), cell([seconds(of.ttft_p95_s), ""], "n"), cell([seconds(of.latency_p95_s), ""], "n"),
    cell([money(of.usd_per_10k), ""], "n"))));
}

export function showWorkers(table, workers) {
  const told = JSON.stringify(workers);
  if (table.told === told) return;
  table.told = told;
  table.tBodies[0].replaceChildren(...workers.map(of => make("tr", {},
    cell([text(of.worker), of.host && of.host !== of.worker ? text(of.host) : ""], "", "th", { scope: "row" }),
    cell([count(of.users), ""], "n"), cell([count(of.in_flight), ""], "n"),
    cell([percent(of.cpu), ""], of.cpu > 0.8 ? "n missed" : "n"), cell([milliseconds(of.lag_ms), ""], of.lag_ms > 50 ? "n missed" : "n"),
    cell([of.heard_s_ago === null || of.heard_s_ago === undefined ? UNKNOWN : `${of.heard_s_ago.toFixed(1)} s ago`, ""], of.heard_s_ago > 5 ? "n missed" : "n"))));
}

export function showRuns(list, runs, current) {
  list.replaceChildren(...runs.filter(run => run.name !== current).map(run => make("li", {},
    run.quoted ? make("a", { href: `./swarmledger/runs/${run.quoted}`, className: "name" }, text(run.name)) : make("span", { className: "name" }, text(run.name)),
    make("small", {}, `${text(run.status)} · ${utc(run.started_at)}${run.report ? "" : " · no report yet"}`))));
}
