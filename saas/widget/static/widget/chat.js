/** The open chat, put together of its parts. The server's messages are the truth. */

import { Client, Offline, pause, Refusal } from "./client.js";
import { markdown } from "./markdown.js";
import { h } from "./nodes.js";
import { notices as tell } from "./notices.js";
import { Outbox } from "./outbox.js";
import { panel } from "./panel.js";
import { store } from "./store.js";
import { talk as conversation } from "./talk.js";
import { thread as log } from "./thread.js";
import { wishes as wish } from "./wishes.js";
import { speaker, WORDS } from "./words.js";

/** Called once by the loader, at the first click. */
export async function start(loader) {
  const { host, key, name, look, fixed, language, emit, button, draw, api } = loader;
  Object.assign(WORDS, host.frontdesk.table);
  const say = speaker(language), chinese = /^zh/i.test(language);
  const of = (words) => words?.[chinese ? "zh" : "en"] || words?.[chinese ? "en" : "zh"];
  const kept = store(name);
  const client = new Client({ api, key, kept, language });
  client.proof = host.frontdesk.proof;

  // What all parts know: the conversation as it was last seen, the moment of its latest message, which answer
  // was streamed, what was asked before the first message; and what the session says.
  const at = { conversation: undefined, latest: undefined, told: undefined, contact: undefined };
  let begun = false;

  const refused = (error) => {
    ui.trouble.textContent = error instanceof Offline ? say("offline") : (error instanceof Refusal && error.message) || say("broken");
    if (!(error instanceof Offline || error instanceof Refusal)) console.error("Frontdesk:", error);
  };
  const tried = (work) => work.then(() => true, (error) => (refused(error), false));
  const online = (on) => {
    if (!on) ui.trouble.textContent = say("offline");
    else if (ui.trouble.textContent === say("offline")) ui.trouble.textContent = "";
  };

  const act = { send, close };
  const ui = panel({ root: loader.root, say, act, theme: look.theme || "auto" });
  const notices = tell({ ui, say, kept, look, loader });
  const thread = log({ ui, say, act, api, before: (moment) => talk.before(moment).catch(refused) });
  const talk = conversation({
    client, kept, say, of, ui, at, thread, notices, loader, tried, online,
    busy: () => outbox.sending, gone: forgotten, over: () => wishes.rate(),
  });
  const outbox = new Outbox({
    client, kept, say, ui, at, online, refused,
    moved: talk.follows,
    told({ message_id, answer }) {
      at.told = message_id;
      notices.message({ id: message_id, author: "bot", text: answer.text }, true);
    },
    empty: () => at.conversation && tried(talk.read()),
  });
  const wishes = wish({ client, say, ui, at, look, outbox, talk, notices, tried, gone: forgotten });
  Object.assign(act, wishes);

  function send(text) {
    if (wishes.known(() => send(text))) return outbox.send(text);
  }

  async function enter() {
    const { look: set, conversation_id, business, ...session } = await client.session();
    Object.assign(look, set, fixed);
    Object.assign(at, session);
    begun = true;
    draw();
    ui.title.textContent = of(look.title) || business || say("title");
    ui.node.classList.remove("auto", "light", "dark");
    ui.node.classList.add(look.theme);
    ui.clip.hidden = !look.uploads;
    ui.standing.textContent = say("bot");
    if (conversation_id) return talk.become(conversation_id);
    welcome();
  }

  function welcome() {
    const pending = ui.log.querySelectorAll(".pending"), away = at.open === false && of(at.away);
    const prompts = pending.length ? [] : (look.prompts || []).map(of).filter(Boolean);
    ui.log.replaceChildren(
      h("div", { class: "m bot" }, h("div", { class: "b", dir: "auto" }, ...markdown(of(look.greeting) || say("greeting")))),
      ...(prompts.length ? [h("div", { class: "row" }, prompts.map((text) => h("button", { type: "button", class: "chip", onclick: () => send(text) }, text)))] : []),
      ...(away ? [h("p", { class: "note", dir: "auto" }, away)] : []),
      ...pending,
    );
  }

  /** As if nothing had been said. */
  function forgotten() {
    thread.clear();
    outbox.clear();
    talk.leave();
    notices.count(0);
    welcome();
  }

  function open(text) {
    for (const other of FrontdeskWidgets.values()) if (other !== host.frontdesk) other.close();
    ui.node.hidden = false;
    host.classList.add("open");
    button.setAttribute("aria-expanded", "true");
    ui.modal();
    notices.count(0);
    ui.log.scrollTop = ui.log.scrollHeight;
    if (text) ui.input.value = text;
    ui.input.focus();
    emit("open");
  }

  function close() {
    if (ui.node.hidden) return;
    ui.node.hidden = true;
    host.classList.remove("open");
    button.setAttribute("aria-expanded", "false");
    if (loader.root.activeElement) button.focus();
    emit("close");
  }

  // Another tab began a conversation, or had everything deleted.
  addEventListener("storage", ({ key: changed }) => {
    if (changed !== name || !begun || outbox.sending) return;
    const id = kept.get("talk");
    if (id && id !== at.conversation?.id) tried(talk.become(id));
    if (!id && at.conversation) forgotten();
  });
  outbox.ready = (async () => {
    for (let failed = 0; ; failed++) {
      try {
        await enter();
        online(true);
        break;
      } catch (error) {
        refused(error);
        if (!(error instanceof Offline)) return;
        await pause(Math.min(10, 0.5 * 2 ** failed));
      }
    }
  })();
  welcome();
  outbox.resume();
  return {
    open, close,
    toggle: () => (ui.node.hidden ? open() : close()),
    words: (lang, table) => void (WORDS[lang] = table),
    async identify(proof) {
      client.proof = proof;
      await outbox.ready;
      Object.assign(at, { conversation: undefined, latest: undefined });
      thread.clear();
      await tried(enter());
    },
    forget() {
      kept.clear();
      forgotten();
      return tried(enter());
    },
  };
}
