/** The open chat: what is sent, what comes, and what is shown of it. The server's messages are the truth. */

import { Client, follow, Offline, pause, Refusal } from "./client.js";
import { asking, beep, before, stars, sure } from "./forms.js";
import { markdown } from "./markdown.js";
import { bubble } from "./message.js";
import { h } from "./nodes.js";
import { Outbox } from "./outbox.js";
import { panel } from "./panel.js";
import { store } from "./store.js";
import { speaker, WORDS } from "./words.js";

const RTL = /^(ar|fa|he|ur)\b/i;

/** Called once by the loader, at the first click. */
export async function start(loader) {
  const { host, key, name, look, language, emit, button, draw, api } = loader;
  Object.assign(WORDS, host.frontdesk.table);
  const say = speaker(language), chinese = /^zh/i.test(language);
  const of = (words) => words?.[chinese ? "zh" : "en"] || words?.[chinese ? "en" : "zh"];
  const kept = store(name);
  const client = new Client({ api, key, kept, language });
  client.proof = host.frontdesk.proof;
  host.dir = RTL.test(language) || document.documentElement.dir === "rtl" ? "rtl" : "ltr";

  const nodes = new Map(); // by message id
  // The conversation as it was last seen, the moment of its latest message, and what was asked before it.
  const at = { conversation: undefined, latest: undefined, contact: undefined };
  let session, stored = [], unread = kept.get("unread") || 0, following, reading, readAgain = false, quietUntil = 0;

  const act = { send, person, upload, typing, judge, close, menu };
  const ui = panel({ root: loader.root, say, act, theme: look.theme || "auto" });
  const refused = (error) => {
    ui.trouble.textContent = error instanceof Offline ? say("offline") : (error instanceof Refusal && error.message) || say("broken");
    if (!(error instanceof Offline || error instanceof Refusal)) console.error("Frontdesk:", error);
  };
  const tried = (work) => work.then(() => true, (error) => (refused(error), false));

  const outbox = new Outbox({
    client, kept, say, ui, at, online, refused,
    told({ message_id, answer }) {
      act.told = message_id;
      ui.announce(`${say("bot")}: ${answer.text}`);
      emit("message", { id: message_id, author: "bot", text: answer.text });
      if (ui.node.hidden) count(unread + 1);
    },
    moved(id) {
      if (at.conversation?.id === id) return;
      Object.assign(at, { conversation: { id }, latest: undefined });
      live();
    },
    empty: () => at.conversation && tried(read()),
  });

  function send(text) {
    if (look.asks?.length && !at.conversation && !at.contact) return ask(() => send(text));
    return outbox.send(text);
  }

  async function enter() {
    session = await client.session();
    Object.assign(look, session.look);
    draw();
    ui.title.textContent = of(look.title) || session.business || say("title");
    ui.node.classList.remove("auto", "light", "dark");
    ui.node.classList.add(look.theme);
    ui.clip.hidden = !look.uploads;
    ui.standing.textContent = say("bot");
    if (!session.conversation_id) welcome();
    else await become(session.conversation_id);
  }

  function welcome() {
    ui.log.replaceChildren(h("div", { class: "m bot" }, h("div", { class: "b", dir: "auto" }, ...markdown(of(look.greeting) || say("greeting")))));
    const prompts = (look.prompts || []).map(of).filter(Boolean);
    if (prompts.length) ui.log.append(h("div", { class: "row" }, prompts.map((text) => h("button", { type: "button", class: "chip", onclick: () => send(text) }, text))));
  }

  /** The conversation is this one from now on. */
  async function become(id) {
    if (at.conversation?.id !== id) {
      at.conversation = { id };
      at.latest = undefined;
      live();
    }
    await read();
  }

  function live() {
    kept.set({ talk: at.conversation.id });
    following?.abort();
    following = new AbortController();
    follow(client, at.conversation.id, {
      signal: following.signal,
      seen: () => at.conversation?.updated_at,
      state: (on) => online(on),
      hint: (kind, data) => (kind === "typing" ? data.author !== "customer" && writes() : void tried(read())),
    });
  }

  function online(on) {
    if (on) {
      if (ui.trouble.textContent === say("offline")) ui.trouble.textContent = "";
    } else ui.trouble.textContent = say("offline");
  }

  /** Read what is new; while something is sent, after that: its answer is shown already. */
  async function read() {
    if (outbox.sending || reading) return void (readAgain = true);
    reading = true;
    try {
      do {
        readAgain = false;
        const query = at.latest ? `?after=${encodeURIComponent(at.latest)}` : "";
        const seen = await client.call("GET", `conversations/${at.conversation.id}${query}`);
        if (seen.id === at.conversation?.id) show(seen);
      } while (readAgain && at.conversation);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) forgotten();
      else throw error;
    } finally {
      reading = false;
    }
  }

  function show(seen) {
    const first = !at.latest, before = at.conversation.state, agent = at.conversation.agent;
    const { messages, more, ...rest } = seen;
    at.conversation = rest;
    const fresh = messages.filter(({ id }) => !nodes.has(id));
    ui.change(() => {
      if (first) ui.log.replaceChildren(...ui.log.querySelectorAll(".pending"));
      for (const message of fresh) add(message);
      last(messages.at(-1));
    }, first);
    at.latest = messages.at(-1)?.at || at.latest;
    if (first && more) earlier(messages[0].at);
    if (!first) news(fresh.filter(({ author }) => author !== "customer"));
    if (before && agent !== rest.agent && rest.agent) note(say("joined", { name: rest.agent }));
    if (before === "agent" && rest.state === "bot") note(say("back"));
    if (before && before !== "closed" && rest.state === "closed") note(say("over"));
    stand();
  }

  function make(message, isLast) {
    return bubble(message, { say, act, api, last: isLast });
  }

  function add(message) {
    stored = stored.filter(({ id }) => id !== message.id).concat(message);
    const pending = message.author === "customer" && [...ui.log.querySelectorAll(".pending.done")].find((node) => node.dataset.text === message.text);
    const node = make(message);
    const streamed = ui.log.querySelector(`[data-id="${CSS.escape(message.id)}"]`);
    if (pending) pending.replaceWith(node);
    else if (streamed) streamed.replaceWith(node);
    else {
      const next = ui.log.querySelector(".pending");
      next ? next.before(node) : ui.log.append(node);
    }
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

  function earlier(before) {
    const control = h("button", { type: "button", class: "chip note", onclick: async () => {
      control.disabled = true;
      await tried(client.call("GET", `conversations/${at.conversation.id}?before=${encodeURIComponent(before)}`).then((seen) => {
        const height = ui.log.scrollHeight;
        control.replaceWith(...seen.messages.filter(({ id }) => !nodes.has(id)).map((message) => {
          const node = make(message);
          nodes.set(message.id, node);
          return node;
        }));
        if (seen.more) earlier(seen.messages[0].at);
        ui.log.scrollTop += ui.log.scrollHeight - height;
      }));
      control.disabled = false;
    } }, say("earlier"));
    ui.log.prepend(control);
  }

  /** Say and count what others wrote. */
  function news(messages) {
    writes(false);
    for (const message of messages) {
      if (message.id === act.told) continue; // heard as it was streamed
      ui.announce(`${message.agent || say("bot")}: ${message.text}`);
      emit("message", { id: message.id, author: message.author, text: message.text });
      if ((ui.node.hidden || document.hidden) && (kept.get("sound") ?? look.sound)) beep();
      if (ui.node.hidden) count(unread + 1);
    }
  }

  function count(number) {
    unread = number;
    kept.set({ unread });
    loader.unread(number);
  }

  function note(text) {
    ui.change(() => ui.log.append(h("p", { class: "note" }, text)));
    ui.announce(text);
  }

  /** Who answers, in the bar; a person can be asked for until one is. */
  function stand() {
    const { state, position, agent, open } = at.conversation || {};
    const words = { waiting: open ? say("waiting", { n: position }) : say("away"), agent: say("agent", { name: agent }), closed: say("over") }[state] || say("bot");
    if (ui.standing.textContent !== words) ui.standing.textContent = words;
    ui.person.hidden = state === "waiting" || state === "agent";
    ui.below.textContent = "";
    kept.set({ awaits: ui.person.hidden });
    emit("state", { state, position, agent });
    if (state === "closed" && !at.conversation.score && !ui.log.querySelector(".stars") && at.latest) rate();
    if (state !== "closed") ui.log.querySelector(".stars")?.remove();
  }

  // What else can be done -----------------------------------------------------------------------------

  async function person() {
    if (look.asks?.length && !at.conversation && !at.contact) return ask(person);
    ui.person.disabled = true;
    await outbox.sent; // which may begin the conversation
    const body = { conversation_id: at.conversation?.id ?? null, ...(at.contact && { contact: at.contact }) };
    if (await tried(client.call("POST", "hand-off", body).then(({ id }) => become(id)))) note(say("asked"));
    ui.person.disabled = false;
    ui.input.focus();
  }

  async function upload(file) {
    if (file.size > session.largest) return void (ui.trouble.textContent = say("large", { n: Math.round(session.largest / 2 ** 20) }));
    ui.trouble.textContent = "";
    ui.clip.disabled = true;
    await outbox.sent;
    const form = new FormData();
    form.append("file", file);
    if (at.conversation) form.append("conversation_id", at.conversation.id);
    await tried(client.call("POST", "files", form).then(({ conversation_id }) => become(conversation_id)));
    ui.clip.disabled = false;
  }

  function typing() {
    if (at.conversation?.state !== "agent" || Date.now() < quietUntil) return;
    quietUntil = Date.now() + 3000;
    client.call("POST", `conversations/${at.conversation.id}/typing`, {}).catch(() => {}); // only a courtesy
  }

  function writes(now = true) {
    clearTimeout(writes.timer);
    ui.below.textContent = now ? `${at.conversation?.agent || ""} ${say("typing")}…` : "";
    if (now) writes.timer = setTimeout(() => writes(false), 5000);
  }

  function judge(id, helpful, comment) {
    return tried(client.call("POST", `messages/${id}/feedback`, { helpful, comment }));
  }

  /** What the tenant wants to know before the first message. */
  function ask(then) {
    if (ui.log.querySelector("form.before")) return;
    const form = before(look.asks, say, (given) => ((at.contact = given), then()));
    ui.change(() => ui.log.append(form), true);
    form.querySelector("input").focus();
  }

  function rate() {
    const { id } = at.conversation;
    const form = stars(say, async (score, comment) => {
      const given = await tried(client.call("POST", `conversations/${id}/rating`, { score, comment }));
      if (given && at.conversation?.id === id) at.conversation.score = score;
      return given;
    });
    ui.change(() => ui.log.append(form), true);
  }

  function mail() {
    const { id } = at.conversation;
    const form = asking({ label: say("address"), button: say("ok"), type: "email", autocomplete: "email", required: true }, async (address) => {
      if (await tried(client.call("POST", `conversations/${id}/transcript`, { address }))) form.remove(), note(say("mailed"));
    });
    ui.change(() => ui.log.append(form), true);
    form.querySelector("input").focus();
  }

  function erase() {
    const form = sure(say, () => tried(client.call("DELETE", "data").then(() => (forgotten(), note(say("erased"))))));
    ui.change(() => ui.log.append(form), true);
    form.querySelector(".chip").focus();
  }

  function menu() {
    const on = kept.get("sound") ?? look.sound;
    return [
      [say(on ? "soundOn" : "soundOff"), () => (kept.set({ sound: !on }), !on && beep())],
      at.conversation && session?.mail && [say("mail"), mail],
      at.conversation && at.conversation.state !== "closed" && [say("end"), () => tried(client.call("POST", `conversations/${at.conversation.id}/close`).then(read))],
      [say("erase"), erase],
    ].filter(Boolean);
  }

  /** As if nothing had been said. */
  function forgotten() {
    following?.abort();
    nodes.clear();
    outbox.clear();
    stored = [];
    Object.assign(at, { conversation: undefined, latest: undefined, contact: undefined });
    kept.set({ awaits: false, talk: "" });
    count(0);
    welcome();
    ui.standing.textContent = say("bot");
    ui.person.hidden = false;
  }

  function open(text) {
    ui.node.hidden = false;
    host.classList.add("open");
    button.setAttribute("aria-expanded", "true");
    ui.modal();
    count(0);
    ui.log.scrollTop = ui.log.scrollHeight;
    if (text) ui.input.value = text;
    ui.input.focus();
    emit("open");
  }

  function close() {
    ui.node.hidden = true;
    host.classList.remove("open");
    button.setAttribute("aria-expanded", "false");
    button.focus();
    emit("close");
  }

  // Another tab began a conversation, or had everything deleted.
  addEventListener("storage", ({ key: changed }) => {
    if (changed !== name || !session || outbox.sending) return;
    const talk = kept.get("talk");
    if (talk && talk !== at.conversation?.id) tried(become(talk));
    if (!talk && at.conversation) forgotten();
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
  outbox.resume();
  welcome();
  return {
    open, close,
    toggle: () => (ui.node.hidden ? open() : close()),
    words: (lang, table) => void (WORDS[lang] = table),
    async identify(proof) {
      client.proof = proof;
      await outbox.ready;
      Object.assign(at, { conversation: undefined, latest: undefined });
      nodes.clear();
      await tried(enter());
    },
    forget() {
      kept.clear();
      forgotten();
      return tried(enter());
    },
  };
}
