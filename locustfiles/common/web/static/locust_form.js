// Locust's own page: fields that do nothing under a scenario are gone, its form says what Start begins, and a run that waits for an answer asks.
const make = (tag, words, style) => {
  const made = document.createElement(tag);
  made.textContent = words;
  made.style.cssText = style;
  return made;
};
const field = name => `.MuiFormControl-root:has(> .MuiInputBase-root > input[name=${name}])`;
const css = document.createElement("style");
css.textContent = `${["userCount", "spawnRate", "host"].map(field).join(", ")}, .MuiAccordion-root:has(input[name=runTime]) { display: none !important; }`;
document.head.append(css);

const note = make("p", "", "margin:0 24px 8px;overflow-wrap:anywhere;unicode-bidi:isolate");
note.id = "swarmledger-notice-scenario";
const begins = make("span", "", ""), link = make("a", "Choose a scenario", "color:inherit;text-decoration:underline");
link.href = "./swarmledger#start";
note.append(begins, " ", link, ".");
const place = () => {
  const form = document.querySelector("form:has(input[name=userCount])");
  if (form && form.previousSibling !== note) form.before(note);
};
new MutationObserver(place).observe(document.body, { childList: true, subtree: true });
place();

const box = make("section", "", "position:fixed;left:0;right:0;top:0;z-index:10000;padding:16px 24px;max-height:60vh;overflow:auto;"
  + "background:#fff3d6;color:#3c2a00;border-bottom:3px solid #8a5a00;font:16px sans-serif");
box.id = "swarmledger-asks";
box.setAttribute("role", "alert");
box.hidden = true;
const words = make("p", "", "margin:0 0 12px;overflow-wrap:anywhere");
const button = (name, yes) => {
  const made = make("button", name, "font:inherit;padding:6px 16px;margin-right:12px;border:1px solid #3c2a00;border-radius:5px;background:#fff;color:#3c2a00;cursor:pointer");
  made.type = "button";
  made.addEventListener("click", async () => {
    box.hidden = true;
    try {
      await fetch("./swarmledger/answer", { method: "POST", body: new URLSearchParams({ id: box.dataset.of, yes }) });
    } catch { answered = null; }  // it asks again
  });
  made.addEventListener("click", () => { answered = box.dataset.of; });
  return made;
};
let answered = null;
box.append(words, button("Go on", 1), button("Do not send", 0));
document.body.append(box);

// the notice's script tells what it has heard
addEventListener("swarmledger-told", event => {
  const { scenario, asks } = event.detail;
  const chosen = scenario ? `Start begins ${scenario}, which says how many users there are and for how long.` : "No scenario is chosen yet, so Start begins nothing.";
  if (begins.textContent !== chosen) begins.textContent = chosen;
  link.textContent = scenario ? "Choose another one, or see what it asks for" : "Choose a scenario";
  box.hidden = !asks || String(asks.id) === answered;
  if (!asks) return;
  box.dataset.of = String(asks.id);
  if (words.textContent !== asks.text) words.textContent = asks.text;
});
