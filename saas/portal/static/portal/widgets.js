/** The live preview: the widget's own panel, with what the form says, and nobody behind it. */

import { before } from "../widget/forms.js";
import { bubble } from "../widget/message.js";
import { h, icon } from "../widget/nodes.js";
import { markdown } from "../widget/markdown.js";
import { panel } from "../widget/panel.js";
import { speaker } from "../widget/words.js";

const form = document.getElementById("look");
const box = document.getElementById("preview");
const chosen = document.getElementById("preview-language");
const still = new CSSStyleSheet();
still.replaceSync(`.panel{position:static!important;inline-size:100%!important;block-size:34rem!important;animation:none!important;border-radius:16px!important}
.launch{display:grid;place-items:center;inline-size:56px;block-size:56px;border-radius:50%;margin-block-start:14px;margin-inline-start:auto;background:var(--c);color:var(--on)}
.launch.left{margin-inline:0 auto}:host{display:block;font:16px/1.45 system-ui,sans-serif;color-scheme:light dark}`);
const root = box.attachShadow({ mode: "open" });
const mark = icon("send"); // as the button's, which is no module: all that pages load is one file
mark.setAttribute("fill", "currentColor");
mark.firstChild.setAttribute("d", "M12 3c5 0 9 3.4 9 7.7s-4 7.7-9 7.7a11 11 0 0 1-2.6-.3L4.6 21l.9-4.2A7.2 7.2 0 0 1 3 10.7C3 6.4 7 3 12 3Z");

function draw() {
  const field = (name) => form.elements[name], language = chosen.value;
  const value = (name) => field(name).value.trim();
  const both = (name) => value(`${name}_${language}`) || value(`${name}_${language === "en" ? "zh" : "en"}`);
  const say = speaker(language), nothing = async () => true;
  const act = { send: nothing, person: nothing, upload: nothing, judge: nothing, typing() {}, close() {}, menu: () => [] };
  root.replaceChildren();
  root.adoptedStyleSheets = [];
  const ui = panel({ root, say, act, theme: value("theme") });
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, still];
  const colour = value("colour"), [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  box.style.setProperty("--c", colour);
  box.style.setProperty("--on", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff");
  root.append(h("div", { class: `launch ${value("side")}` }, mark));
  box.lang = language === "zh" ? "zh-Hans" : "en";
  ui.node.hidden = false;
  ui.title.textContent = both("title") || box.dataset.business;
  ui.standing.textContent = say("bot");
  ui.clip.hidden = !field("uploads").checked;
  ui.log.append(h("div", { class: "m bot" }, h("div", { class: "b" }, ...markdown(both("greeting") || say("greeting")))));
  const prompts = value(`prompts_${language}`).split("\n").filter(Boolean);
  if (prompts.length) ui.log.append(h("div", { class: "row" }, prompts.map((text) => h("button", { type: "button", class: "chip" }, text))));
  const asks = ["name", "email"].filter((name) => field(`ask_${name}`).checked);
  if (asks.length) return ui.log.append(before(asks, say, () => draw()));
  const shown = { items: [], citations: [], sources: [], files: [] };
  ui.log.append(
    bubble({ author: "customer", text: box.dataset.sample, ...shown }, { say, act }),
    bubble({ id: "0", author: "bot", kind: "reply", text: box.dataset.answer, ...shown }, { say, act }),
  );
}

form.addEventListener("input", draw);
chosen.addEventListener("change", draw);
draw();
