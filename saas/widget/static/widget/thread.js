/** The messages in the log: each once, in order, the last one with what may be answered to it. */

import { bubble } from "./message.js";
import { h } from "./nodes.js";

/** @param before reads what is older: before(moment) → the conversation as it was, or nothing */
export function thread({ ui, say, act, api, before }) {
  const nodes = new Map(); // by message id
  let stored = [];
  const make = (message, last) => bubble(message, { say, act, api, last });

  function add(message) {
    stored = stored.filter(({ id }) => id !== message.id).concat(message);
    const node = make(message);
    const sent = message.author === "customer" && [...ui.log.querySelectorAll(".pending.done")].find((one) => one.dataset.text === message.text);
    const place = sent || ui.log.querySelector(`[data-id="${CSS.escape(message.id)}"]`); // as it was sent, or streamed
    const next = ui.log.querySelector(".pending");
    if (place) place.replaceWith(node);
    else next ? next.before(node) : ui.log.append(node);
    nodes.set(message.id, node);
  }

  /** The last message shows what may be answered, and no other one does. */
  function last(newest) {
    for (const message of stored.slice(-3)) {
      const isLast = message.id === newest?.id, node = nodes.get(message.id);
      const asks = message.ask || message.options.length;
      if (!asks || node.dataset.last === String(isLast)) continue;
      const again = make(isLast ? newest : message, isLast);
      again.dataset.last = String(isLast);
      node.replaceWith(again);
      nodes.set(message.id, again);
    }
  }

  function earlier(moment) {
    const control = h("button", { type: "button", class: "chip note", onclick: async () => {
      control.disabled = true;
      const seen = await before(moment);
      control.disabled = false;
      if (!seen) return;
      const height = ui.log.scrollHeight;
      control.replaceWith(...seen.messages.filter(({ id }) => !nodes.has(id)).map((message) => {
        const node = make(message);
        nodes.set(message.id, node);
        return node;
      }));
      if (seen.more) earlier(seen.messages[0].at);
      ui.log.scrollTop += ui.log.scrollHeight - height;
    } }, say("earlier"));
    ui.log.prepend(control);
  }

  return {
    /** Those of them that were not shown yet. With `first` they are all that is shown; `asks` while a bot does. */
    show(messages, { first, more, asks }) {
      const fresh = messages.filter(({ id }) => !nodes.has(id));
      ui.change(() => {
        if (first) ui.log.replaceChildren(...ui.log.querySelectorAll(".pending"));
        fresh.forEach(add);
        // What was sent again, or streamed again, is among the messages already.
        for (const node of ui.log.querySelectorAll(".pending.done,.streaming[data-id]")) if (node.dataset.send || nodes.has(node.dataset.id)) node.remove();
        last(asks ? messages.at(-1) : undefined);
      }, first);
      if (first && more) earlier(messages[0].at);
      return fresh;
    },
    clear() {
      nodes.clear();
      stored = [];
    },
  };
}
