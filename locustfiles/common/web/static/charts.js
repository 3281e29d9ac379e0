// Charts over the run: lines by time with the stages behind them. One crosshair goes through all of them.
import { UNKNOWN, clock, count, make, money, number, seconds, text } from "./words.js";

const CHARTS = [
  { title: "Time to first token", words: seconds, lines: [["ttft_p50_s", "p50"], ["ttft_p95_s", "p95"]] },
  { title: "Latency", words: seconds, lines: [["latency_p50_s", "p50"], ["latency_p95_s", "p95"]] },
  { title: "Output tokens/s", words: number, lines: [["output_tokens_per_s", "tokens/s"]] },
  { title: "Requests/s", words: number, lines: [["requests_per_s", "requests/s"]] },
  { title: "Errors/s", words: number, lines: [["failures_per_s", "all"], ["throttled_per_s", "throttled"]] },
  { title: "Cost so far", words: money, lines: [["usd", "accrued"]] },
];
const HEIGHT = 190, LEFT = 66, RIGHT = 10, TOP = 20, BOTTOM = 24;
const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes, words = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = words;
  parent.append(node);
  return node;
}

/** 0.600 s -> 0.6 s, $0.00 -> $0: a scale needs no digits that are all the same. */
const brief = words => words.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

function steps(high, most, sizes = [1, 2, 5, 10]) {
  const rough = high / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = sizes.map(size => size * power).find(size => size >= rough);
  return Array.from({ length: Math.floor(high / step + 1e-9) + 1 }, (_, i) => i * step);
}

function timeSteps(span, most) {
  const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400].find(s => span / s <= most) || span / most;
  return Array.from({ length: Math.floor(span / step + 1e-9) + 1 }, (_, i) => i * step);
}

class Chart {
  constructor(of, all) {
    this.of = of;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("role", "img");
    this.svg.tabIndex = 0;
    this.values = of.lines.map(() => make("b", {}, UNKNOWN));
    this.when = make("span", { className: "when" });
    this.legend = make("p", { className: "legend" }, ...of.lines.flatMap(([, name], i) => [
      make("span", { className: `key line${i}` }, make("i"), `${name} `, this.values[i])]), this.when);
    this.figure = make("figure", { className: "chart" }, make("figcaption", {}, make("h3", {}, of.title)), this.legend, this.svg);
    this.svg.addEventListener("pointermove", event => all.point(this.at(event)));
    this.svg.addEventListener("pointerdown", event => all.point(this.at(event)));
    this.svg.addEventListener("pointerleave", () => all.point(null));
    this.svg.addEventListener("blur", () => all.point(null));
    this.svg.addEventListener("keydown", event => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
      if (by !== undefined) { event.preventDefault(); all.move(by); }
      if (event.key === "Escape") all.point(null);
    });
  }

  at(event) {
    const area = this.svg.getBoundingClientRect(), t = this.series.t;
    if (!t.length) return null;
    const wanted = this.from + (event.clientX - area.left - LEFT) / (area.width - LEFT - RIGHT) * this.span;
    let near = 0;
    for (let i = 1; i < t.length; i++) if (Math.abs(t[i] - wanted) < Math.abs(t[near] - wanted)) near = i;
    return near;
  }

  draw(series, from, until) {
    this.series = series; this.from = from; this.span = Math.max(until - from, 1);
    const width = Math.max(240, this.svg.clientWidth || 400);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren();
    const lines = this.of.lines.map(([key]) => series[key] || []);
    const all = lines.flat().filter(v => v !== null && v !== undefined);
    const high = Math.max(...all, 0) * 1.08 || 1;
    this.x = t => LEFT + (t - from) / this.span * (width - LEFT - RIGHT);
    this.y = v => HEIGHT - BOTTOM - v / high * (HEIGHT - TOP - BOTTOM);
    this.bands(series.stages || [], until);
    for (const v of steps(high, 4)) {
      add(this.svg, "line", { x1: LEFT, x2: width - RIGHT, y1: this.y(v), y2: this.y(v), class: "rule" });
      if (all.length) add(this.svg, "text", { x: LEFT - 6, y: this.y(v) + 4, "text-anchor": "end" }, brief(this.of.words(v)));
    }
    for (const s of timeSteps(this.span, Math.max(2, Math.floor(width / 90)))) {
      const x = this.x(from + s), anchor = x > width - 24 ? "end" : s ? "middle" : "start";
      add(this.svg, "text", { x: anchor === "end" ? width - 2 : x, y: HEIGHT - 7, "text-anchor": anchor }, clock(s));
    }
    if (!all.length) add(this.svg, "text", { x: (width + LEFT) / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "nothing yet");
    lines.forEach((values, i) => this.line(values, i));
    this.cross = add(this.svg, "g", {});
    this.svg.setAttribute("aria-label", this.told(lines));
    this.point(null);
  }

  bands(stages, until) {
    stages.forEach(([stage, begin, end], i) => {
      const left = Math.max(LEFT, this.x(begin)), right = Math.max(left, this.x(end === null ? until : end));
      add(this.svg, "rect", { x: left, y: TOP - 4, width: right - left, height: HEIGHT - TOP - BOTTOM + 4, class: i % 2 ? "band odd" : "band" });
      add(this.svg, "line", { x1: left, x2: left, y1: TOP - 4, y2: HEIGHT - BOTTOM, class: "edge" });
      if (right - left > 16) add(this.svg, "text", { x: left + 3, y: TOP - 8, class: "stage" }, (right - left > 64 ? "stage " : "") + count(stage));
    });
  }

  line(values, i) {
    let path = "", open = false;
    values.forEach((v, k) => {
      if (v === null || v === undefined) { open = false; return; }
      const spot = `${this.x(this.series.t[k]).toFixed(1)},${this.y(v).toFixed(1)}`;
      const alone = !open && (values[k + 1] === null || values[k + 1] === undefined);
      if (alone) add(this.svg, "circle", { cx: this.x(this.series.t[k]), cy: this.y(v), r: 3, class: `dot line${i}` });
      else path += `${open ? "L" : "M"}${spot}`;
      open = true;
    });
    if (path) add(this.svg, "path", { d: path, class: `line line${i}` });
  }

  told(lines) {
    const parts = this.of.lines.map(([, name], i) => {
      const all = lines[i].filter(v => v !== null && v !== undefined);
      return all.length ? `${name} last ${this.of.words(all.at(-1))}, between ${this.of.words(Math.min(...all))} and ${this.of.words(Math.max(...all))}`
        : `${name} not known yet`;
    });
    return `${this.of.title} over the run: ${parts.join("; ")}. Arrow keys move along it.`;
  }

  /** Show the values of point i; null: the last ones. */
  point(i) {
    const t = this.series.t;
    this.cross.replaceChildren();
    this.of.lines.forEach(([key], k) => {
      const values = this.series[key] || [];
      const value = i === null ? values.findLast(v => v !== null && v !== undefined) : values[i];
      this.values[k].textContent = this.of.words(value);
      if (i !== null && value !== null && value !== undefined)
        add(this.cross, "circle", { cx: this.x(t[i]), cy: this.y(value), r: 4, class: `dot line${k}` });
    });
    this.when.textContent = "";
    if (i === null || t[i] === undefined) return;
    const x = this.x(t[i]);
    this.cross.prepend(add(this.cross, "line", { x1: x, x2: x, y1: TOP - 4, y2: HEIGHT - BOTTOM, class: "cursor" }));
    const stage = (this.series.stages || []).find(([, begin, end]) => t[i] >= begin && (end === null || t[i] <= end));
    this.when.textContent = `at ${clock(t[i] - this.from)}${stage ? `, stage ${count(stage[0])}` : ", between stages"}`;
  }
}

export class Charts {
  constructor(root, table) {
    this.table = table;
    this.charts = CHARTS.map(of => new Chart(of, this));
    root.append(...this.charts.map(chart => chart.figure));
    this.i = null;
    let drawn = 0;
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (root.clientWidth !== drawn) { drawn = root.clientWidth; this.again(); }
    })).observe(root);
    table.addEventListener("toggle", () => this.list());
  }

  draw(series) {
    const told = series ? `${series.t.length} ${series.t.at(-1)} ${JSON.stringify(series.stages)} ${series.usd.at(-1)}` : "";
    if (told === this.told) return;
    this.told = told;
    this.series = series;
    this.again();
    this.list();
  }

  again() {
    const series = this.series || { t: [], stages: [], from: 0 };
    const begin = series.from ?? series.t[0] ?? 0;
    const ends = [...series.t, ...(series.stages || []).flatMap(s => s.slice(1))].filter(Number.isFinite);
    this.charts.forEach(chart => chart.draw(series, begin, Math.max(begin + 1, ...ends)));
    this.point(this.i);
  }

  point(i) {
    this.i = i;
    this.charts.forEach(chart => chart.series && chart.point(i));
  }

  move(by) {
    const n = this.series ? this.series.t.length : 0;
    if (n) this.point(Math.min(n - 1, Math.max(0, (this.i === null ? (by < 0 ? n : -1) : this.i) + by)));
  }

  list() {
    if (!this.table.open || !this.series) return;
    const lines = CHARTS.flatMap(of => of.lines.map(([key, name]) => [key, `${of.title}, ${name}`, of.words]));
    const head = make("tr", {}, make("th", { scope: "col" }, "Time"), ...lines.map(([, name]) => make("th", { scope: "col" }, text(name))));
    const rows = this.series.t.map((t, i) => make("tr", {}, make("th", { scope: "row" }, clock(t - (this.series.from ?? 0))),
      ...lines.map(([key, , words]) => make("td", { className: "n" }, words((this.series[key] || [])[i])))));
    this.table.querySelector("table").replaceChildren(make("caption", {}, "What the charts draw"), make("thead", {}, head), make("tbody", {}, ...rows));
  }
}
