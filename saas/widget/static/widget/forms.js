/** What a visitor is asked: forms, as nodes that call back. */

import { h } from "./nodes.js";

/** A form of one field. */
export function asking({ label, button, tag = "input", ...attributes }, done) {
  const field = h(tag, { dir: "auto", ...attributes });
  const submit = (event) => {
    event.preventDefault();
    done(field.value.trim());
  };
  return h("form", { class: "ask", onsubmit: submit }, h("label", {}, label, field), h("button", { class: "go" }, button));
}

/** What the tenant wants to know before the first message. */
export function before(names, say, done) {
  const fields = names.map((name) => [name, h("input", { required: true, maxlength: 200, dir: "auto", type: name === "email" ? "email" : "text", autocomplete: name })]);
  const form = h("form", { class: "ask before", onsubmit: (event) => {
    event.preventDefault();
    form.remove();
    done(Object.fromEntries(fields.map(([name, field]) => [name, field.value.trim()])));
  } }, fields.map(([name, field]) => h("label", {}, say(name), field)), h("button", { class: "go" }, say("start")));
  return form;
}

/** 1 to 5, given at the first click, and once more with what is said of it. */
export function stars(say, rate) {
  const form = h("form", { class: "ask stars", onsubmit: (event) => event.preventDefault() });
  const comment = h("textarea", { dir: "auto", maxlength: 2000 });
  let score = 0;
  const give = async () => (await rate(score, comment.value.trim())) && form.replaceChildren(say("thanks"));
  const all = [1, 2, 3, 4, 5].map((n) => h("button", { type: "button", class: "star", role: "radio", "aria-checked": "false", "aria-label": say("stars", { n }), onclick: () => {
    score = n;
    all.forEach((star, place) => (star.setAttribute("aria-checked", String(place === n - 1)), (star.textContent = place < n ? "★" : "☆")));
    if (!comment.isConnected) form.append(h("label", {}, say("more"), comment), h("button", { type: "button", class: "go", onclick: give }, say("ok")));
    form.scrollIntoView({ block: "nearest" });
    rate(n, "");
  } }, "☆"));
  form.append(h("div", { role: "radiogroup", "aria-label": say("rate") }, h("p", { class: "note" }, say("rate")), all));
  return form;
}

/** Whether everything is to be deleted. */
export function sure(say, done) {
  const keep = h("button", { type: "button", class: "chip", onclick: () => form.remove() }, say("no"));
  const form = h("div", { class: "m bot", role: "group", "aria-label": say("erase") }, h("div", { class: "b" }, say("sure")),
    h("div", { class: "row" }, h("button", { type: "button", class: "go", onclick: done }, say("yes")), keep));
  return form;
}
