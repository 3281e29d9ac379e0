// The stages as points that one can hover, touch, tab to and zoom. Without this script the pictures say the same.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const root = document.getElementById("explorer");
  const svg = root.querySelector("svg"), tip = root.querySelector(".tip"), legend = root.querySelector(".legend");
  const pick = name => root.querySelector(`select[name=${name}]`);
  const COLOURS = ["#0b6fc2", "#c2410c", "#0f8a5f", "#9333b8", "#b58900", "#0e7490", "#be185d", "#4d5a68"];
  const SHAPES = [ // paths of radius 1
    "M-1,0A1,1,0,1,0,1,0A1,1,0,1,0,-1,0Z", "M-.9,-.9H.9V.9H-.9Z", "M0,-1.15L1.05,.75H-1.05Z",
    "M0,-1.2L1.2,0L0,1.2L-1.2,0Z", "M0,1.15L1.05,-.75H-1.05Z",
  ];
  const DASHES = ["", "6 3", "2 3"];
  const series = [...new Set(data.points.map(p => p.series))];
  const look = name => {
    const i = series.indexOf(name);
    return { colour: COLOURS[i % 8], shape: SHAPES[(i + Math.floor(i / 8)) % 5], dash: DASHES[Math.floor(i / 8) % 3] };
  };
  const hidden = new Set();
  let zoom = null; // [x from, x to, y from, y to], in the axes' values
  let last = null, closer = null; // the point shown last; zooms in on it, for fingers and keyboards

  const make = (name, attributes, parent) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.append(node);
    return node;
  };
  const brief = v => Math.abs(v) >= 1000 ? v.toLocaleString("en-US", { maximumFractionDigits: 0 }) : String(+v.toPrecision(3));

  function scale(values, from, to, ends) {
    let [low, high] = ends || [Math.min(...values), Math.max(...values)];
    const log = low > 0 && high / low > 20;
    if (!ends) {
      if (log) { low /= 1.3; high *= 1.3; }
      else { low = Math.min(low, 0); high += (high - low || 1) * .08; } // from 0: small differences stay small until one zooms in
    }
    const of = log ? Math.log : v => v, back = log ? Math.exp : v => v;
    const at = v => from + (of(v) - of(low)) / (of(high) - of(low)) * (to - from);
    return { at, low, high, log, value: px => back(of(low) + (px - from) / (to - from) * (of(high) - of(low))) };
  }

  function ticks({ low, high, log }) {
    if (log) {
      const found = [];
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
        for (const m of [1, 2, 5]) { const v = m * 10 ** power; if (v >= low && v <= high) found.push(v); }
      return found;
    }
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough), found = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(+v.toPrecision(12));
    return found;
  }

  function chosenPoints() {
    const [x, y, set] = [pick("x").value, pick("y").value, pick("set").value];
    return data.points.filter(p => p.dataset === set && p.values[x] != null && p.values[y] != null && !hidden.has(p.series));
  }

  const inSet = name => data.points.some(p => p.series === name && p.dataset === pick("set").value);

  function draw() {
    const width = Math.max(300, root.clientWidth), height = Math.min(460, Math.max(300, width * .55));
    const box = { left: 62, right: width - 14, top: 12, bottom: height - 44 };
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    tip.hidden = true;
    for (const button of legend.children) button.hidden = !inSet(button.value);
    const points = chosenPoints(), [x, y] = [pick("x").value, pick("y").value];
    root.querySelector(".empty").hidden = points.length > 0;
    if (!points.length) return;
    const xs = scale(points.map(p => p.values[x]), box.left, box.right, zoom && zoom.slice(0, 2));
    const ys = scale(points.map(p => p.values[y]), box.bottom, box.top, zoom && zoom.slice(2));
    axes(xs, ys, box, height);
    const inside = p => p.values[x] >= xs.low && p.values[x] <= xs.high && p.values[y] >= ys.low && p.values[y] <= ys.high;
    for (const name of series) {
      const line = points.filter(p => p.series === name).sort((a, b) => a.level - b.level);
      const path = line.map(p => `${xs.at(p.values[x])},${ys.at(p.values[y])}`).join("L");
      if (line.length > 1 && !zoom) make("path", { d: `M${path}`, fill: "none", stroke: look(name).colour, "stroke-dasharray": look(name).dash, opacity: .5 }, svg);
      line.filter(inside).forEach(p => mark(p, xs.at(p.values[x]), ys.at(p.values[y])));
    }
    drag(xs, ys, box);
    closer = () => {
      const [x, y] = last || [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      const [wide, high] = [(box.right - box.left) / 4, (box.bottom - box.top) / 4];
      zoom = [xs.value(x - wide), xs.value(x + wide), ys.value(y + high), ys.value(y - high)];
      last = null;
      draw();
    };
  }

  function axes(xs, ys, box, height) {
    make("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top, class: "plane" }, svg);
    let last = -99;
    for (const v of ticks(xs)) {
      make("line", { x1: xs.at(v), x2: xs.at(v), y1: box.top, y2: box.bottom, class: "rule" }, svg);
      if (xs.at(v) - last < 40) continue;
      last = xs.at(v);
      make("text", { x: last, y: box.bottom + 15, "text-anchor": "middle" }, svg).textContent = brief(v);
    }
    for (const v of ticks(ys)) {
      make("line", { x1: box.left, x2: box.right, y1: ys.at(v), y2: ys.at(v), class: "rule" }, svg);
      make("text", { x: box.left - 6, y: ys.at(v) + 4, "text-anchor": "end" }, svg).textContent = brief(v);
    }
    make("text", { x: (box.left + box.right) / 2, y: height - 8, "text-anchor": "middle", class: "name" }, svg).textContent = pick("x").value + (xs.log ? " (log)" : "");
    make("text", { x: 14, y: (box.top + box.bottom) / 2, "text-anchor": "middle", class: "name", transform: `rotate(-90 14 ${(box.top + box.bottom) / 2})` }, svg).textContent = pick("y").value + (ys.log ? " (log)" : "");
  }

  function mark(p, left, top) {
    const { colour, shape } = look(p.series);
    const group = make("g", { transform: `translate(${left} ${top})`, tabindex: 0, role: "img", "aria-label": `${p.name}: ${p.lines.join(", ")}` }, svg);
    make("circle", { r: 14, fill: "transparent" }, group); // something for a finger
    if (p.chosen) make("circle", { r: 11, class: "chosen" }, group);
    make("path", { d: shape, transform: "scale(6)", stroke: colour, "stroke-width": .27, fill: p.verdict === "VALID" ? colour : "var(--paper)" }, group);
    if (p.missed) make("path", { d: "M-4,-4L4,4M-4,4L4,-4", class: "missed" }, group);
    const show = () => {
      last = [left, top];
      tip.replaceChildren(...[p.name, ...p.lines].map((words, i) => {
        const line = document.createElement(i ? "span" : "b");
        line.textContent = words;
        return line;
      }));
      tip.hidden = false;
      const area = svg.getBoundingClientRect(), home = root.getBoundingClientRect();
      tip.style.left = `${Math.max(0, Math.min(area.left - home.left + left + 14, root.clientWidth - tip.offsetWidth))}px`;
      tip.style.top = `${area.top - home.top + top + 14}px`;
    };
    for (const event of ["pointerenter", "focus", "click"]) group.addEventListener(event, show);
    for (const event of ["pointerleave", "blur"]) group.addEventListener(event, () => { tip.hidden = true; });
  }

  function drag(xs, ys, box) {
    let from = null, frame = null;
    const at = e => {
      const area = svg.getBoundingClientRect(), ratio = svg.viewBox.baseVal.width / area.width;
      return [Math.min(box.right, Math.max(box.left, (e.clientX - area.left) * ratio)), Math.min(box.bottom, Math.max(box.top, (e.clientY - area.top) * ratio))];
    };
    svg.onpointerdown = e => { if (e.pointerType !== "touch") { from = at(e); frame = make("rect", { class: "frame" }, svg); } };
    svg.onpointermove = e => {
      if (!from) return;
      const to = at(e);
      frame.setAttribute("x", Math.min(from[0], to[0])); frame.setAttribute("width", Math.abs(from[0] - to[0]));
      frame.setAttribute("y", Math.min(from[1], to[1])); frame.setAttribute("height", Math.abs(from[1] - to[1]));
    };
    svg.onpointerup = e => {
      if (!from) return;
      const begun = from, to = at(e);
      from = null; frame.remove();
      if (Math.abs(begun[0] - to[0]) < 8 || Math.abs(begun[1] - to[1]) < 8) return;
      zoom = [...[begun[0], to[0]].sort((a, b) => a - b).map(xs.value), ...[begun[1], to[1]].sort((a, b) => b - a).map(ys.value)];
      draw();
    };
  }

  function key(name) {
    const button = document.createElement("button");
    button.type = "button";
    button.value = name;
    button.setAttribute("aria-pressed", "true");
    const sample = make("svg", { viewBox: "-1.4 -1.4 2.8 2.8", width: 14, height: 14, "aria-hidden": true }, button);
    make("path", { d: look(name).shape, fill: look(name).colour }, sample);
    button.append(name);
    button.onclick = () => {
      hidden.has(name) ? hidden.delete(name) : hidden.add(name);
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      draw();
    };
    return button;
  }

  const options = (select, names, chosen) => names.forEach(name => select.add(new Option(name, name, false, name === chosen)));
  options(pick("x"), data.figures, data.x);
  options(pick("y"), data.figures, data.y);
  options(pick("set"), [...new Set(data.points.map(p => p.dataset))], data.dataset);
  legend.append(...series.map(key));
  for (const select of root.querySelectorAll("select")) select.onchange = () => { zoom = null; draw(); };
  const whole = () => { zoom = null; draw(); };
  root.querySelector("button.whole").onclick = whole;
  root.querySelector("button.closer").onclick = () => closer && closer();
  svg.ondblclick = whole;
  root.hidden = false;
  let drawn = 0;
  new ResizeObserver(() => requestAnimationFrame(() => {
    if (root.clientWidth !== drawn) { drawn = root.clientWidth; draw(); }
  })).observe(root);
})();
