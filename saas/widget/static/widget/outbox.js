/**
 * What is sent, in order, until the server has it: kept over a reload, sent again with the same id, which
 * the server answers as before where it had it.
 */

import { Offline, pause, Refusal } from "./client.js";
import { markdown } from "./markdown.js";
import { h } from "./nodes.js";

const TRIES = 40;

export class Outbox {
  /** What is sent right now; and what must be known before: the conversation, where there is one. */
  sending = false;
  #started = false;
  sent = Promise.resolve();
  ready = Promise.resolve();

  /** @param parts what it works with, and is told: told(done), moved(conversation), empty() */
  constructor(parts) {
    Object.assign(this, parts);
    this.items = this.kept.get("outbox") || []; // {id, text, body?}
  }

  send(text) {
    const id = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`.replace(/\./g, "");
    this.items.push({ id, text });
    this.#keep();
    this.#show(this.items.at(-1));
    return this.#start();
  }

  /** Go on with what an earlier page could not send. */
  resume() {
    for (const item of this.items) this.#show(item), this.#say(item, this.say("sending"));
    if (this.items.length) this.#start();
  }

  clear() {
    for (const item of this.items) this.#node(item)?.remove();
    this.items.length = 0;
    this.#keep();
  }

  #start() {
    if (!this.#started) this.sent = this.#flush();
    return this.sent;
  }

  #keep() {
    this.kept.set({ outbox: this.items });
  }

  #node({ id }) {
    return this.ui.log.querySelector(`[data-send="${CSS.escape(id)}"]`);
  }

  #show({ id, text }) {
    const node = h("div", { class: "m customer pending" }, h("div", { class: "b", dir: "auto" }, ...markdown(text)), h("small", { role: "status" }));
    Object.assign(node.dataset, { text, send: id });
    for (const choice of this.ui.log.querySelectorAll(".row > .chip")) choice.parentNode.remove(); // answered
    this.ui.change(() => this.ui.log.append(node), true);
  }

  async #flush() {
    this.#started = true;
    await this.ready;
    this.sending = true;
    for (let failed = 0; this.items.length; ) {
      const [item] = this.items, { at } = this;
      // Sent again it must be the same.
      item.body ||= { text: item.text, conversation_id: at.conversation?.id ?? null, ...(!at.conversation && at.contact && { contact: at.contact }) };
      this.#keep();
      try {
        await this.#talk(item);
        this.#node(item)?.classList.add("done");
        this.#say(item, "");
        failed = 0;
      } catch (error) {
        if (error instanceof Offline && failed < TRIES) {
          this.#say(item, this.say("sending"));
          this.online(false);
          await pause(Math.min(10, 0.5 * 2 ** Math.min(failed++, 5)));
          continue;
        }
        this.refused(error);
        this.#lost(item);
      }
      if (this.items[0] === item) this.items.shift(); // it may all have been deleted meanwhile
      this.#keep();
    }
    this.sending = this.#started = false;
    await this.empty();
  }

  #say(item, ...parts) {
    this.#node(item)?.querySelector("small").replaceChildren(...parts);
  }

  #lost(item) {
    const again = () => (this.#node(item).remove(), this.send(item.text));
    this.#say(item, this.say("failed"), " ", h("button", { type: "button", class: "link", onclick: again }, this.say("again")));
  }

  /** One message and its answer, streamed; whole, where it cannot be. */
  async #talk({ id, body }) {
    const { client, ui } = this, headers = { "Idempotency-Key": id };
    const dots = h("span", { class: "dots" }, h("i"), h("i"), h("i"));
    const words = h("div", { class: "b", dir: "auto", "aria-busy": "true" }, dots);
    const node = h("div", { class: "m bot streaming" }, words);
    const show = (text) => ui.change(() => (text && words.replaceChildren(...markdown(text)), node.isConnected || ui.log.append(node)));
    const timer = setTimeout(show, 150);
    let text = "", done;
    try {
      for await (const { name, data } of client.events("POST", "messages", { body: JSON.stringify(body), headers })) {
        this.online(true);
        if (name === "message.started") node.dataset.id = data.message_id;
        if (name === "delta") show((text += data.text));
        if (name === "done") done = data;
        if (name === "error") throw ["interrupted", "stream_lost"].includes(data.code) ? new Offline(data.code) : new Refusal({ code: data.code, message: data.detail }, 500);
      }
      if (!done) throw new Offline("cut off");
    } catch (error) {
      clearTimeout(timer);
      node.remove();
      if (error.code !== "no_streaming") throw error;
      done = await client.call("POST", "messages", body, { headers });
    }
    clearTimeout(timer);
    if (done.answer) {
      node.dataset.id = done.message_id;
      show(done.answer.items.length ? done.answer.text.split("\n")[0] : done.answer.text);
      this.told(done);
    } else node.remove();
    words.removeAttribute("aria-busy");
    this.moved(done.conversation_id);
  }
}
