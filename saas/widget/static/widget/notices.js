/** What a visitor is told beside the messages themselves: notes, a badge, a sound, to who listens. */

import { h } from "./nodes.js";

export function notices({ ui, say, kept, look, loader }) {
  let unread = kept.get("unread") || 0, audio;

  /** A short sound, made here: there is no file of it. A page that nobody has touched yet is silent. */
  function beep() {
    if (navigator.userActivation?.hasBeenActive === false) return;
    audio ||= new AudioContext();
    const tone = audio.createOscillator(), volume = audio.createGain();
    volume.gain.setValueAtTime(0.08, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.25);
    tone.frequency.value = 880;
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.25);
  }

  const self = {
    /** In this browser as the visitor chose, else as the widget is set to. */
    sound: () => kept.get("sound") ?? look.sound,
    switchSound() {
      kept.set({ sound: !self.sound() });
      if (self.sound()) beep();
    },
    count(number) {
      unread = number;
      kept.set({ unread });
      loader.unread(number);
    },
    note(text) {
      ui.change(() => ui.log.append(h("p", { class: "note" }, text)));
      ui.announce(text);
    },
    /** Somebody else's message; `heard` where it made its sound, or needs none. */
    message({ id, author, agent, text }, heard) {
      ui.announce(`${agent || say("bot")}: ${text}`);
      loader.emit("message", { id, author, text });
      if (!heard && (ui.node.hidden || document.hidden) && self.sound()) beep();
      if (ui.node.hidden) self.count(unread + 1);
    },
  };
  return self;
}
