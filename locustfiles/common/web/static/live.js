// The LLM page while a run goes on: asks for the newest figures, and again as soon as they are there.
import { Charts } from "./charts.js";
import { Report } from "./report.js";
import { Controls } from "./controls.js";
import { showCards, showStrip, showVerdict } from "./headline.js";
import { showRuns, showStages, showWorkers } from "./tables.js";
import { duration, put } from "./words.js";

const at = id => document.getElementById(id);
const AGAIN_MS = 250, LOST_MS = 1000, HIDDEN_MS = 3000, LONGEST_MS = 15000, OLD_S = 4;
const charts = new Charts(at("charts"), at("charts-table"));
const report = new Report(at("report"), "./swarmledger");
const controls = new Controls(() => last && last.load);
let last = null, heard = performance.now(), seq = 0, run = null, trouble = "";
const wait = ms => new Promise(done => setTimeout(done, ms));

/** Raises an Error where there is no answer; false: who asks is logged out. */
async function ask() {
  const answer = await fetch(`./swarmledger/live.json?after=${seq}`, { cache: "no-store", signal: AbortSignal.timeout(LONGEST_MS) });
  if (answer.redirected) return false; // to the page to log in
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  last = await answer.json();
  seq = last.seq ?? 0;
  heard = performance.now();
  return true;
}

function show() {
  document.dispatchEvent(new CustomEvent("swarmledger", { detail: last }));
  const { load, figures } = last, mine = figures && load.run && figures.run === load.run.id ? figures : null;
  showStrip(load, mine);
  showVerdict(load, mine);
  showCards(load, mine);
  controls.show(load);
  charts.draw(mine ? mine.series : null);
  showStages(at("stages-table"), mine ? mine.stages : []);
  at("stages").hidden = !(mine && mine.stages.length);
  at("watch").hidden = !load.run;
  showWorkers(at("workers-table"), load.workers || []);
  at("workers").hidden = !(load.workers || []).length;
  const folder = load.run && load.run.folder ? load.run.folder.replace(/\/+$/, "").split("/").pop() : null;
  const ended = Boolean(load.run && load.run.ended_at);
  at("figures").hidden = ended && !(mine && mine.stage);
  at("report").hidden = !folder;
  report.of(folder);
  if (run !== `${folder} ${ended}`) {
    run = `${folder} ${ended}`;
    report.asked = false;
    at("watch").insertBefore(at("report"), ended ? at("figures") : at("downloads")); // the first thing of a run that is over
    report.note = ended ? "" : " Making it takes a part of a core, at low priority.";
    place(at("start"), ended);
    report.look(ended);
    listRuns(folder);
  }
}

function tellAge() {
  const silent = (performance.now() - heard) / 1000, says = at("connection");
  let words = "", css = "live";
  if (trouble) { words = trouble; css = "lost"; }
  else if (silent > OLD_S && !document.hidden) { words = `Connection lost ${duration(silent)} ago: what you see is old. Trying again…`; css = "lost"; }
  else if (last && last.load.state !== "idle" && last.load.run && !last.load.run.ended_at) {
    const age = last.figures && last.figures.at ? last.load.at - last.figures.at + silent : null;
    if (age === null && last.trouble) { words = `${last.trouble[0].toUpperCase()}${last.trouble.slice(1)}. The run itself goes on.`; css = "old"; }
    else if (age === null) words = "No figures yet: the process that works them out is being started.";
    else if (age > OLD_S) { words = `No figures for ${duration(age)}: the process that works them out is behind. The run itself goes on.`; css = "old"; }
    else words = `Live, ${age.toFixed(1)} s old`;
  } else if (last) words = "Connected";
  document.body.classList.toggle("stale", css !== "live");
  says.className = css;
  put(says, words);
}

async function listRuns(folder) {
  try {
    showRuns(at("runs-list"), (await (await fetch("./swarmledger/runs.json")).json()).runs, folder);
    at("runs-none").hidden = at("runs-list").children.length > 0;
  } catch { /* told by the line on the connection */ }
}

/** The form that starts a run stands above, and of a run that is over below what it found. */
function place(form, ended) {
  if (form) at("watch")[ended ? "after" : "before"](form);
  at("another").hidden = !form || !ended;
}

function showSafely() {
  try { show(); } catch (error) { console.error(error); } // the next answer may be whole
}

async function follow() {
  for (;;) {
    try {
      if (!await ask()) { trouble = "You are logged out: reload the page to log in."; return; }
      trouble = "";
    } catch (error) {
      trouble = error instanceof TypeError || error.name === "TimeoutError" ? "" : `The load test does not say: ${error.message}. Trying again…`;
      seq = 0;
      await wait(LOST_MS);
      continue;
    }
    showSafely();
    await wait(document.hidden ? HIDDEN_MS : AGAIN_MS);
  }
}

/** What belongs to a report waits until that is made: say so. */
async function tellWaiting(name) {
  const says = at("downloads-says");
  put(says, `${name}: the report is being made; the download begins by itself.`);
  do await wait(LOST_MS); while (await report.look(false));
  put(says, "");
}

for (const link of document.querySelectorAll("#downloads a[data-made]")) link.addEventListener("click", () => tellWaiting(link.textContent));
at("another").addEventListener("click", () => at("start").querySelector("details")?.setAttribute("open", ""));
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask().then(known => known && showSafely(), () => {}); });
setInterval(tellAge, 500);
follow();
