/** One message as nodes. */

import { address, h, icon, link } from "./nodes.js";
import { asking } from "./forms.js";
import { marked, markdown } from "./markdown.js";

const JUDGED = ["reply", "passage", "composed", "items", "action"];

/**
 * `act` does what is clicked: send(text), judge(id, helpful, comment). `last` shows what may be answered.
 * @returns {HTMLElement}
 */
export function bubble(message, { say, act, api, last }) {
  const { author, agent, text, items = [], citations = [], sources = [], files = [] } = message;
  const node = h("div", { class: `m ${author}` });
  const name = author === "customer" ? say("you") : author === "agent" ? agent : say("bot");
  node.append(h("small", { class: author === "agent" ? "" : "hidden" }, name));
  const body = node.appendChild(h("div", { class: "b", dir: "auto" }));
  const quotes = quoted(citations, sources, say);
  const cite = (n) => quotes && h("button", { class: "cite", type: "button", "aria-label": say("source", { n: n + 1 }), onclick: () => quotes.show(n) }, String(n + 1));
  const shown = items.length ? text.split("\n")[0] : text;
  if (author === "bot") body.append(...markdown(marked(shown, items.length ? [] : citations), cite));
  else if (!files.length) body.append(...markdown(shown));
  for (const file of files) body.append(sent(file, api));
  if (items.length) node.append(h("ul", { class: "cards" }, items.map((item) => h("li", {}, card(item, say)))));
  if (quotes) node.append(quotes.node);
  if (author === "bot" && JUDGED.includes(message.kind) && message.id) node.append(thumbs(message, say, act));
  if (last && author !== "customer") node.append(...answers(message, say, act));
  return node;
}

function quoted(citations, sources, say) {
  const parts = citations.length
    ? citations.map(({ source, quote }) => ({ quote, ...sources.find(({ id }) => id === source) }))
    : sources;
  if (!parts.length) return undefined;
  const entries = parts.map(({ question, document, page, quote }, n) =>
    h("blockquote", { tabindex: -1 }, h("b", {}, `${n + 1}. `, question || document || ""), quote && h("div", { dir: "auto" }, quote),
      (question && document) || page ? h("div", {}, [question && document, page && say("page", { n: page })].filter(Boolean).join(", ")) : ""));
  const node = h("details", {}, h("summary", {}, `${say("sources")} (${parts.length})`), entries);
  return { node, show(n) { node.open = true; entries[n]?.focus(); entries[n]?.scrollIntoView({ block: "nearest" }); } };
}

function card({ title, price, currency, why, url, image }, say) {
  const href = address(url);
  const picture = address(image) && h("img", { src: address(image), alt: "", loading: "lazy", referrerpolicy: "no-referrer", width: 64, height: 64, onerror: (event) => event.target.remove() });
  const words = h("div", { dir: "auto" }, h("b", {}, title), h("span", {}, [price && money(price, currency, say.language), why].filter(Boolean).join(" · ")));
  return href ? h("a", { class: "card", href, target: "_blank", rel: "noopener" }, picture, words) : h("div", { class: "card" }, picture, words);
}

function money(price, currency, language) {
  try {
    return new Intl.NumberFormat(language, { style: "currency", currency }).format(price);
  } catch {
    return `${price} ${currency || ""}`.trim();
  }
}

function sent({ name, type, path }, api) {
  const href = new URL(path, api).href;
  const shown = type.startsWith("image/") ? h("img", { class: "sent", src: href, alt: name, loading: "lazy" }) : h("span", {}, icon("file"), ` ${name}`);
  return h("a", { href, target: "_blank", rel: "noopener" }, shown);
}

function thumbs({ id, helpful }, say, act) {
  const row = h("div", { class: "row" });
  const thanks = h("span", { class: "note", role: "status" });
  const make = (name, value) => h("button", { type: "button", class: "plain thumb", "aria-label": say(name), "aria-pressed": String(helpful === value), onclick: (event) => judge(value, event.currentTarget) }, icon(name));
  const judge = async (value, button) => {
    for (const other of row.querySelectorAll(".thumb")) other.setAttribute("aria-pressed", String(other === button));
    row.parentNode.querySelector("form.ask.more")?.remove();
    if (!(await act.judge(id, value, ""))) return;
    if (value) return void (thanks.textContent = say("thanks"));
    thanks.textContent = "";
    const form = asking({ label: say("comment"), button: say("ok"), tag: "textarea", maxlength: 2000 }, async (text) => {
      if (await act.judge(id, false, text)) (form.remove(), (thanks.textContent = say("thanks")));
    });
    form.classList.add("more");
    row.after(form);
  };
  row.append(make("up", true), make("down", false), thanks);
  return row;
}

/** Quick replies, or the form of what is asked for. */
function answers({ options = [], ask }, say, act) {
  const choices = options.length ? options.map(({ text }) => text) : ask?.choices || [];
  const buttons = choices.length && h("div", { class: "row" }, choices.map((text) => h("button", { type: "button", class: "chip", dir: "auto", onclick: () => act.send(text) }, text)));
  if (buttons || !ask) return buttons ? [buttons] : [];
  const field = { date: { type: "date" }, amount: { inputmode: "decimal" }, order_number: { autocapitalize: "characters", autocomplete: "off" } }[ask.kind] || {};
  return [asking({ label: say("answer"), button: say("send"), required: true, maxlength: 500, ...field }, act.send)];
}
