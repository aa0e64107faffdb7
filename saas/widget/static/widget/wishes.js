/** What a visitor can ask for beside an answer: a person, a file's way, a rating, a transcript, to be forgotten. */

import { asking, before, stars, sure } from "./forms.js";

const ADDRESS = "[^@\\s]+@[^@\\s]+\\.[^@\\s.]{2,}"; // as the server takes it

export function wishes({ client, say, ui, at, look, outbox, talk, notices, tried: attempt, gone }) {
  let quietUntil = 0;
  const of = (id, what, body) => client.call("POST", `conversations/${id}/${what}`, body);
  const tried = (work) => ((ui.trouble.textContent = ""), attempt(work));
  const put = (form, focused) => {
    ui.change(() => ui.log.append(form), true);
    if (focused) form.querySelector(focused).focus();
  };

  /** What the tenant wants to know before the first message, where it was not said yet: then it goes on. */
  function known(then) {
    if (!look.asks?.length || at.conversation || at.contact) return true;
    if (ui.log.querySelector("form.before")) return false;
    put(before(look.asks, say, (given) => ((at.contact = given), then())), "input");
    return false;
  }

  async function person() {
    if (!known(person)) return;
    ui.person.disabled = true;
    await outbox.sent; // which may begin the conversation
    const body = { conversation_id: at.conversation?.id ?? null, ...(at.contact && { contact: at.contact }) };
    if (await tried(client.call("POST", "hand-off", body).then(({ id }) => talk.become(id)))) notices.note(say("asked"));
    ui.person.disabled = false;
    ui.input.focus();
  }

  async function upload(file) {
    if (file.size > at.largest) return void (ui.trouble.textContent = say("large", { n: Math.round(at.largest / 2 ** 20) }));
    ui.clip.disabled = true;
    await outbox.sent;
    const form = new FormData();
    form.append("file", file);
    if (at.conversation) form.append("conversation_id", at.conversation.id);
    await tried(client.call("POST", "files", form).then(({ conversation_id }) => talk.become(conversation_id)));
    ui.clip.disabled = false;
  }

  function typing() {
    if (at.conversation?.state !== "agent" || Date.now() < quietUntil) return;
    quietUntil = Date.now() + 3000;
    of(at.conversation.id, "typing", {}).catch(() => {}); // only a courtesy
  }

  const judge = (id, helpful, comment) => tried(client.call("POST", `messages/${id}/feedback`, { helpful, comment }));

  function rate() {
    const { id } = at.conversation;
    put(stars(say, async (score, comment) => {
      const given = await tried(of(id, "rating", { score, comment }));
      if (given && at.conversation?.id === id) at.conversation.score = score;
      return given;
    }));
  }

  function mail() {
    const { id } = at.conversation;
    const form = asking({ label: say("address"), button: say("ok"), type: "email", autocomplete: "email", required: true, pattern: ADDRESS }, async (address) => {
      if (await tried(of(id, "transcript", { address }))) form.remove(), notices.note(say("mailed"));
    });
    put(form, "input");
  }

  function erase() {
    put(sure(say, () => tried(client.call("DELETE", "data").then(() => (gone(), notices.note(say("erased")))))), ".chip");
  }

  /** Words and what they do. */
  function menu() {
    const { id, state } = at.conversation || {};
    return [
      [say(notices.sound() ? "soundOn" : "soundOff"), notices.switchSound],
      id && at.mail && [say("mail"), mail],
      id && state !== "closed" && [say("end"), () => tried(of(id, "close").then(talk.read))],
      [say("erase"), erase],
    ].filter(Boolean);
  }

  return { known, person, upload, typing, judge, rate, menu };
}
