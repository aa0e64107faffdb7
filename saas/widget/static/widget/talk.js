/** The conversation as the server has it: followed, read when something happened, shown with who answers. */

import { follow, Refusal } from "./client.js";

/**
 * @param at the conversation as it was last seen, the moment of its latest message, who asks: shared
 * @param gone is called where it is not there any more, over() where it has just ended
 */
export function talk({ client, kept, say, of, ui, at, thread, notices, loader, tried, online, busy, gone, over }) {
  let following, reading, readAgain = false, timer;
  const path = () => `conversations/${at.conversation.id}`;

  /** The conversation is this one from now on, read from its beginning. */
  function follows(id) {
    if (at.conversation?.id === id) return;
    thread.clear();
    Object.assign(at, { conversation: { id }, latest: undefined });
    kept.set({ talk: id });
    following?.abort();
    following = new AbortController();
    follow(client, id, {
      signal: following.signal,
      seen: () => at.conversation?.updated_at,
      state: online,
      hint: (kind, data) => (kind === "typing" ? data.author !== "customer" && writes() : void tried(read())),
    });
  }

  /** Read what is new; while something is sent, after that: its answer is shown already. */
  async function read() {
    if (busy() || reading) return void (readAgain = true);
    reading = true;
    try {
      do {
        readAgain = false;
        const { id } = at.conversation, query = at.latest ? `?after=${encodeURIComponent(at.latest)}` : "";
        const seen = await client.call("GET", path() + query);
        if (seen.id === at.conversation?.id) show(seen);
        else if (id === at.conversation?.id) follows(seen.id), (readAgain = true); // merged into that one
      } while (readAgain && at.conversation);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
      gone();
    } finally {
      reading = false;
    }
  }

  function show({ messages, more, ...now }) {
    const before = at.conversation, first = !before.state; // seen for the first time
    at.conversation = now;
    if (before.state && before.agent !== now.agent && now.agent) notices.note(say("joined", { name: now.agent }));
    const fresh = thread.show(messages, { first, more, asks: now.state === "bot" || now.state === "closed" });
    at.latest = messages.at(-1)?.at || at.latest;
    // Seen for the first time here: what came since an earlier page. What was streamed was told then.
    const since = first ? kept.get("seen") || at.latest : "";
    for (const one of fresh) if (one.author !== "customer" && one.id !== at.told && one.at > since) notices.message(one);
    if (!first) writes(false);
    kept.set({ seen: at.latest });
    if (before.state === "agent" && now.state === "bot") notices.note(say("back"));
    if (before.state && before.state !== "closed" && now.state === "closed") notices.note(say("over"));
    stand();
  }

  /** Who answers, in the bar; a person can be asked for until one is. */
  function stand() {
    const { state, position, agent, open } = at.conversation || {};
    const queued = open ? say("waiting", { n: position }) : of(at.away) || say("away");
    const words = { waiting: queued, agent: say("agent", { name: agent }), closed: say("over") }[state] || say("bot");
    if (ui.standing.textContent !== words) ui.standing.textContent = words;
    ui.person.hidden = state === "waiting" || state === "agent";
    ui.below.textContent = "";
    kept.set({ awaits: ui.person.hidden });
    loader.emit("state", { state, position, agent });
    if (state === "closed" && !at.conversation.score && !ui.log.querySelector(".stars") && at.latest) over();
    if (state !== "closed") ui.log.querySelector(".stars")?.remove();
  }

  function writes(now = true) {
    clearTimeout(timer);
    ui.below.textContent = now ? `${at.conversation?.agent || ""} ${say("typing")}…` : "";
    if (now) timer = setTimeout(() => writes(false), 5000);
  }

  return {
    follows, read, stand,
    become: (id) => (follows(id), read()),
    before: (moment) => client.call("GET", `${path()}?before=${encodeURIComponent(moment)}`),
    leave() {
      following?.abort();
      Object.assign(at, { conversation: undefined, latest: undefined, contact: undefined });
      kept.set({ talk: "" });
      stand();
    },
  };
}
