// A run's report inside the page: made where there is none, told while it is made, shown in a frame.
import { duration, put, text } from "./words.js";

export class Report {
  /** root: its section; folder: the run's folder name, or a function that gives it. */
  constructor(root, told) {
    this.frame = root.querySelector("iframe");
    this.says = root.querySelector(".says");
    this.open = root.querySelector(".open");
    this.button = root.querySelector("button");
    this.told = told; // where report.json and the reports are, relative to the page
    this.run = null;
    this.shown = null;
    this.note = ""; // what is to be known before one is made
    this.button.addEventListener("click", () => this.make());
  }

  of(run) {
    if (run === this.run) return;
    this.run = run;
    this.shown = null;
    this.asked = false;
    this.frame.hidden = this.open.hidden = true;
    this.frame.removeAttribute("src");
    put(this.says, "");
  }

  address(name) { return `${this.told}/runs/${encodeURIComponent(this.run)}/${name}`; }

  async make() {
    this.button.disabled = true;
    try {
      await fetch(this.address("report"), { method: "POST" });
    } catch {
      put(this.says, "The report was not made: no connection to the load test.");
    }
    await this.look(false);
  }

  /** Ask how it stands; where none is fresh and `wanted`, have it made. Whether one is being made. */
  async look(wanted) {
    if (!this.run) return false;
    const run = this.run;
    let state;
    try {
      const answer = await fetch(this.address("report.json"));
      if (!answer.ok) return false;
      state = await answer.json();
    } catch { return false; } // told by those who ask for the live figures
    if (run !== this.run) return false;
    const busy = state.state === "making" || state.state === "waiting";
    this.button.disabled = busy;
    put(this.button, state.made_at ? "Make it again" : "Make the report");
    if (busy) put(this.says, state.state === "waiting" ? "Waits for another report." : `The report is being made: ${duration(state.for_s)} so far.`);
    else if (state.state === "failed") put(this.says, `No report: ${text(state.error)}`);
    else if (state.made_at) put(this.says, state.fresh ? "" : `Made before the last requests came in.${this.note}`);
    else put(this.says, `There is no report of this run yet.${this.note}`);
    if (state.made_at && state.made_at !== this.shown && !busy) {
      this.shown = state.made_at;
      const address = `${this.address("report.html")}?made=${state.made_at}`;
      this.frame.src = this.open.href = address;
      this.frame.hidden = this.open.hidden = false;
    }
    if (wanted && !state.fresh && !busy && state.state !== "failed" && !this.asked) {
      this.asked = true;
      await this.make();
    } else if (busy) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.look(wanted), 1000);
    }
    return busy;
  }
}
