// The buttons, what each will do told before it does it; notices, and a confirmation that a run waits for.
import { clock, count, duration, make, put, putTicked, ticked } from "./words.js";

const at = id => document.getElementById(id);
const form = fields => ({ method: "POST", body: new URLSearchParams(fields) });

/** button -> title, consequence(load), what it sends */
const ACTIONS = {
  "end-after": {
    title: "Stop after this stage?", yes: "Stop after this stage", send: () => fetch("./swarmledger/stage", form({ do: "end-after" })),
    consequence: load => `Stage ${count(load.stage.place ?? load.stage.stage)} is measured to its end${wait(load.stage)}. Then nothing more is sent and the run is closed, to be gone on with by --resume.`,
  },
  skip: {
    title: "Skip this stage?", yes: "Skip this stage", send: () => fetch("./swarmledger/stage", form({ do: "skip" })),
    consequence: load => `Stage ${count(load.stage.place ?? load.stage.stage)} ${load.stage.phase === "settle" ? "gets no window and no figures; --resume measures it" : "ends its window now: its requests in flight are awaited, its figures are those of that shorter window"}. Then the next stage begins.`,
  },
  stop: {
    title: "Stop the run now?", yes: "Stop now", send: () => fetch("./stop", { method: "POST" }),
    consequence: load => `Nothing new is sent, requests in flight are awaited${load.ending && load.ending.at_most_s ? ` for at most ${duration(load.ending.at_most_s)}` : ""}, and the run is closed. The stage under way stays unfinished; --resume measures it again.`,
  },
};
const wait = stage => stage.left_s === null || stage.left_s === undefined ? "" : `, in about ${clock(stage.left_s)}`;

export class Controls {
  constructor(load) {
    this.load = load;
    this.dialog = at("ask");
    for (const name of Object.keys(ACTIONS)) at(`do-${name}`).addEventListener("click", () => this.ask(name));
    this.dialog.addEventListener("close", () => { if (this.dialog.returnValue === "yes") this.act(this.name); });
    at("asks-yes").addEventListener("click", () => this.answer(1));
    at("asks-no").addEventListener("click", () => this.answer(0));
  }

  ask(name) {
    const load = this.load(), action = ACTIONS[name];
    if (!load || (name !== "stop" && !load.stage)) return;
    this.name = name;
    put(at("ask-title"), action.title);
    put(at("ask-text"), action.consequence(load));
    put(at("ask-yes"), action.yes);
    this.dialog.returnValue = "";
    this.dialog.showModal();
    at("ask-no").focus();
  }

  async act(name) {
    try {
      const answer = await ACTIONS[name].send();
      this.failed = answer.ok ? null : `“${ACTIONS[name].yes}” was not done: ${(await answer.text()).slice(0, 300) || answer.status}`;
    } catch {
      this.failed = `“${ACTIONS[name].yes}” was not done: no connection to the load test.`;
    }
    if (this.load()) this.show(this.load());
  }

  async answer(yes) {
    at("asks-yes").disabled = at("asks-no").disabled = true;
    try {
      const answer = await fetch("./swarmledger/answer", form({ id: this.id, yes }));
      this.failed = answer.ok ? null : `Your answer did not count: ${(await answer.text()).slice(0, 300) || answer.status}`;
    } catch {
      this.failed = "Your answer did not count: no connection to the load test.";
    }
    if (this.failed) at("asks-yes").disabled = at("asks-no").disabled = false;
  }

  show(load) {
    const running = load.state === "running", going = running || load.state === "checking" || load.state === "confirming";
    at("controls").hidden = !(going || load.state === "stopping");
    at("do-end-after").disabled = !running || !load.stage || Boolean(load.ending);
    at("do-skip").disabled = !running || !load.stage || Boolean(load.ending && load.ending.now);
    at("do-stop").disabled = !going || Boolean(load.ending && load.ending.now);
    const run = load.run ? load.run.id : null;
    if (run !== this.run) this.failed = null; // it was of another run
    this.run = run;
    this.notices(load);
    const asks = load.asks || null;
    at("asks").hidden = !asks;
    if (!asks) return;
    putTicked(at("asks-text"), asks.text);
    if (this.id !== asks.id) at("asks-yes").disabled = at("asks-no").disabled = false;
    this.id = asks.id;
  }

  notices(load) {
    const told = load.told || {}, ending = load.ending, lines = [];
    if (ending && ending.now) lines.push(`Stopping: nothing new is sent; requests in flight may take ${duration(ending.at_most_s)}.`);
    else if (ending && ending.after_stage) lines.push("The run ends after this stage.");
    if (told.refused) lines.push(`Refused: ${told.refused}`);
    lines.push(...(told.mind || []));
    if (this.failed) lines.push(this.failed);
    const box = at("notices"), all = lines.join("\n");
    if (box.told === all) return;
    box.told = all;
    box.replaceChildren(...lines.map(line => make("p", {}, ...ticked(line))));
  }
}
