// The start form: chooses a scenario, shows what it asks for, starts. What the server answers is text, or HTML that it has escaped.
const at = id => document.getElementById(id);
const say = (words, good) => {
  at("start-answer").textContent = words || "";
  at("start-answer").className = good ? "answer" : "doubt";
  at("start-answer").hidden = !words;
};
/** What was answered. Raises an Error where it is the page to log in on. */
async function told(answer) {
  if (answer.redirected) throw new Error("you are logged out, reload the page to log in");
  return answer.json();
}
let offered = null, shown = null, sending = false, usable = false;

const buttons = () => { for (const id of ["start-go", "start-choose"]) at(id).disabled = sending || !usable; };

/** Offers what there is by now; the choice stays. */
async function list() {
  const found = await told(await fetch("./swarmledger/scenarios", { cache: "no-store" }));
  offered = found.scenarios;
  const select = at("start-file"), before = select.value || found.chosen;
  const options = found.chosen ? offered : ["", ...offered];
  select.replaceChildren(...options.map(file => new Option(file || `choose one of ${offered.length} in ${found.folder}`, file)));
  select.value = options.includes(before) ? before : options[0];
  await details();
}

/** What the chosen file asks for. */
async function details() {
  const file = shown = at("start-file").value;
  usable = false;
  buttons();
  at("start-folder").textContent = "";
  if (!file) return at("start-scenario").replaceChildren();
  at("start-scenario").setAttribute("aria-busy", true);
  const json = await told(await fetch(`./swarmledger/scenario?html=1&file=${encodeURIComponent(file)}`));
  if (shown !== file) return;
  at("start-scenario").innerHTML = json.html;
  at("start-scenario").removeAttribute("aria-busy");
  usable = !json.error;
  at("start-folder").textContent = json.error ? "" : `Without a name it goes to ${json.folder}; a name is a folder beside it.`;
  buttons();
}

async function send(begin) {
  sending = true;
  buttons();
  say(begin ? "Starting: payloads are read, workers load the scenario…" : "Choosing…", true);
  try {
    const body = new URLSearchParams({ file: at("start-file").value, name: at("start-name").value, begin, page: 1 });
    const answer = await fetch("./swarmledger/start", { method: "POST", body, headers: { Accept: "application/json" } });
    const found = await told(answer);
    if (found.error) say(`error: ${found.error}`);
    else if (begin) { say(""); at("start").hidden = true; at("start-name").value = ""; scrollTo(0, 0); }  // the run's figures follow
    else say(`Chosen: Locust's own Start begins ${found.scenario} from now on.`, true);
  } catch (error) {
    say(`No answer (${error.message}): reload the page to see whether a run has begun.`);
  }
  sending = false;
  buttons();
}

at("start-file").addEventListener("change", () => { say(""); details().catch(lost); });
at("start-form").addEventListener("submit", event => { event.preventDefault(); send(1); });
at("start-choose").addEventListener("click", () => send(0));
const lost = error => say(`No answer (${error.message}). Choose again.`);

let live = false;
const show = (idle, first) => {
  if (idle && at("start").hidden) {
    at("start").hidden = false;
    at("start-fold").open = first || location.hash === "#start";  // of a run that is over the figures come first
  } else if (!idle && !sending) at("start").hidden = true;
};
at("start-fold").addEventListener("toggle", () => { if (at("start-fold").open && !sending) list().catch(lost); });
setTimeout(() => { if (!live) show(true, true); }, 3000);  // without figures a run can be started all the same
// live.js tells each answer; a run under way hides the form
document.addEventListener("swarmledger", event => {
  const { state, run } = event.detail.load;
  live = true;
  show(state === "idle" || state === "ended", !run);
});
