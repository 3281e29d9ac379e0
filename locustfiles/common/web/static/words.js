// How values are written: as the report writes them. What is not known is an en dash, never 0.
export const UNKNOWN = "–";
const known = value => value !== null && value !== undefined && value !== "" && !Number.isNaN(value) && Math.abs(value) !== Infinity;

/** Rounded as Python rounds: by the number's exact value, to the even digit where that lies just between two; thousands apart. */
function plain(value, decimals) {
  const power = 10 ** decimals, size = Math.abs(value), between = Number.isInteger(size * 2 ** (decimals + 1)) && size * power % 1 === 0.5;
  const even = Math.floor(size * power) % 2 === 0;
  const [whole, rest] = (between && even ? Math.floor(size * power) / power : size).toFixed(decimals).split(".");
  return `${value < 0 ? "-" : ""}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}${rest ? `.${rest}` : ""}`;
}

function significant(value, digits = 3) {
  if (value === 0) return "0";
  const rounded = Number(value.toExponential(digits - 1));
  const decimals = digits - 1 - Math.floor(Math.log10(Math.abs(rounded)));
  return decimals <= 0 ? plain(value, 0) : plain(value, Math.min(decimals, 12));
}

export const number = value => known(value) ? significant(Number(value)) : UNKNOWN;
export const count = value => known(value) ? plain(Number(value), 0) : UNKNOWN;
export const seconds = value => !known(value) ? UNKNOWN
  : value !== 0 && Math.abs(value) < 0.1 ? `${number(value * 1000)} ms` : `${number(value)} s`;
export const milliseconds = value => known(value) ? `${number(value)} ms` : UNKNOWN;

export function percent(share) {
  if (!known(share)) return UNKNOWN;
  const shown = plain(share * 100, 2).replaceAll(",", "").replace(/\.?0+$/, "");
  if ((shown === "0" || shown === "-0") && share !== 0) return "< 0.01 %";
  if (shown === "100" && share < 1) return "> 99.99 %";
  return `${shown} %`;
}

export function money(usd) {
  if (!known(usd)) return UNKNOWN;
  const size = Math.abs(usd);
  let shown;
  if (size >= 10000) shown = plain(size, 0);
  else if (size >= 1 || size === 0) shown = plain(size, 2);
  else {
    const [whole, cents = ""] = significant(size, 4).split(".");
    shown = `${whole}.${cents.replace(/0+$/, "").padEnd(2, "0")}`;
  }
  return `${usd < 0 ? "-" : ""}$${shown}`;
}

/** `2.31 s – 2.86 s`, `2.31 s – wide` without an upper end; nothing where no interval is known. */
export const ends = (words, low, high) => known(low) ? `${words(low)} – ${known(high) ? words(high) : "wide"}` : "";

/** 75 -> 1:15, 4000 -> 1:06:40. */
export function clock(s) {
  if (!known(s)) return UNKNOWN;
  const whole = Math.max(0, Math.round(s)), two = n => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** 75 -> 1 min 15 s. */
export function duration(s) {
  if (!known(s)) return UNKNOWN;
  const whole = Math.max(0, Math.round(s));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

export const utc = s => known(s) ? `${new Date(s * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC` : UNKNOWN;
const loaded = of => {
  const what = known(of.sessions) ? "conversation" : "request";
  return known(of.users) ? `${count(of.users)} user${of.users === 1 ? "" : "s"}` : known(of.rate) ? `${Number(of.rate)} ${what}${of.rate === 1 ? "" : "s"}/s` : UNKNOWN;
};
/** Of a finished stage, or of the load's, with `sessions` where it is of conversations. */
export const level = of => known(of.mix_share) ? `${percent(of.mix_share)} of a mix of ${loaded(of)}` : loaded(of);

// eslint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/** A text of somebody's: characters that browsers obey and nobody sees are written out. */
export const text = value => known(value) ? String(value).replace(HIDDEN, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`) : UNKNOWN;

/** An element; children that are texts stay texts. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties))
    if (key in node && key !== "list") node[key] = value;
    else node.setAttribute(key, value);
  node.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Words of ours about somebody's: what stands between backticks is set as code. */
export const ticked = words => text(words).split(/`([^`]+)`/).map((part, i) => i % 2 ? make("code", {}, part) : part);

/** Set them only where they change. */
export function putTicked(node, words) {
  if (node.told === words) return;
  node.told = words;
  node.replaceChildren(...ticked(words));
}

/** Set a text only where it changes, so that what is selected stays so and nothing is read out again. */
export function put(node, words) {
  if (node.textContent !== words) node.textContent = words;
}
