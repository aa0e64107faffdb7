/** The frame of the open chat: header, the bar with a person in it, log, composer, menu. */

import { h, icon } from "./nodes.js";
import { sheet } from "./style.js";

const LONGEST = 2000; // characters of a message

/** @param act what is clicked: send(text), person(), upload(file), typing(), close(), menu() → [words, action][] */
export function panel({ root, say, act, theme }) {
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  const title = h("h2", { id: "title" });
  const below = h("p");
  const more = h("button", { type: "button", class: "plain", "aria-label": say("menu"), "aria-expanded": "false", onclick: () => toggle() }, icon("more"));
  const shut = h("button", { type: "button", class: "plain", "aria-label": say("close"), onclick: () => act.close() }, icon("close"));
  const standing = h("p", { role: "status" });
  const person = h("button", { type: "button", class: "person", onclick: () => act.person() }, icon("person"), say("person"));
  const log = h("div", { class: "log", role: "log", "aria-live": "off", "aria-label": say("title"), tabindex: 0 });
  const heard = h("p", { class: "hidden", role: "status", "aria-live": "polite" });
  const trouble = h("p", { class: "note bad", role: "alert" });
  const input = h("textarea", { class: "say", rows: 1, dir: "auto", placeholder: say("input"), "aria-label": say("input"), enterkeyhint: "send", oninput: () => grow() });
  const send = h("button", { class: "plain", "aria-label": say("send") }, icon("send"));
  const file = h("input", { type: "file", hidden: true, "aria-label": say("upload"), accept: "image/png,image/jpeg,image/gif,image/webp,application/pdf,.txt,.csv,.log,.md" });
  const clip = h("button", { type: "button", class: "plain", "aria-label": say("upload"), onclick: () => file.click() }, icon("clip"));
  const compose = h("form", { class: "compose", onsubmit: (event) => (event.preventDefault(), submit()) }, file, clip, input, send);
  const node = h("section", { class: `panel ${theme}`, role: "dialog", "aria-labelledby": "title", hidden: true },
    h("header", {}, h("div", { class: "who" }, title, below), more, shut),
    h("div", { class: "bar" }, standing, person), log, h("footer", {}, trouble, compose), heard);
  root.prepend(node);

  let menu;
  function toggle(open = !menu) {
    menu?.remove();
    menu = undefined;
    more.setAttribute("aria-expanded", String(open));
    if (!open) return;
    menu = h("div", { class: "menu" }, act.menu().map(([words, action]) => h("button", { type: "button", onclick: () => (toggle(false), more.focus(), action()) }, words)));
    more.after(menu);
    menu.querySelector("button")?.focus();
  }

  function grow() {
    input.style.blockSize = "auto";
    input.style.blockSize = `${Math.min(input.scrollHeight + 2, 132)}px`;
    const over = [...input.value].length - LONGEST;
    trouble.textContent = over > 0 ? say("long", { n: over }) : "";
    if (input.value) act.typing();
  }

  function submit() {
    const text = input.value.trim();
    if (!text || [...text].length > LONGEST) return;
    input.value = "";
    grow();
    act.send(text);
  }

  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  file.addEventListener("change", () => {
    const [chosen] = file.files;
    if (chosen) act.upload(chosen);
    file.value = "";
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return event.stopPropagation(), menu ? (toggle(false), more.focus()) : act.close();
    if (event.key !== "Tab" || !narrow.matches) return; // over the whole screen: there is nothing else
    const stops = [...node.querySelectorAll("a[href],button,input,textarea,summary,[tabindex='0']")].filter((one) => !one.disabled && one.offsetParent);
    const [first, last] = [stops[0], stops.at(-1)];
    const at = root.activeElement;
    if (event.shiftKey ? at === first : at === last) event.preventDefault(), (event.shiftKey ? last : first).focus();
  });
  node.addEventListener("click", (event) => menu && !menu.contains(event.target) && !more.contains(event.target) && toggle(false));
  const narrow = matchMedia("(max-width:480px)");
  // The keyboard of a phone takes its part of the screen: what is left is the chat's.
  const fit = () => node.style.setProperty("--height", `${visualViewport.height}px`);
  window.visualViewport?.addEventListener("resize", fit);
  if (window.visualViewport) fit();

  // Who reads the end goes on reading it, whatever grows below.
  const near = () => log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  let atEnd = true;
  log.addEventListener("scroll", () => (atEnd = near()));
  new ResizeObserver(() => atEnd && (log.scrollTop = log.scrollHeight)).observe(log);
  return {
    node, log, input, person, clip, title, below, standing, trouble, send,
    modal: () => node.setAttribute("aria-modal", String(narrow.matches)),
    announce: (text) => (heard.textContent = text),
    /** Change the log, and stay at its end where it was. */
    change(work, always) {
      const end = always || near();
      const result = work();
      if (end) log.scrollTop = log.scrollHeight;
      return result;
    },
  };
}
