// The live inbox: what happens on the server is followed, and the parts that changed are asked for again.
// Hints may be lost: after each connection everything is read anew, so nothing stays missing.

const body = document.body;
const { base, me } = body.dataset;
const LIST_PAUSE = 400, PRESENT = 10_000, TYPED = 2_000;
const $ = (selector) => document.querySelector(selector);
const talk = () => $(".talk");
const token = () => JSON.parse(body.getAttribute("hx-headers"))["X-CSRFToken"];

/** Run at once, and at most once more for what came meanwhile. */
function paced(work, pause) {
  let waiting = false, again = false;
  const run = async () => {
    if (waiting) { again = true; return; }
    waiting = true;
    try { await work(); } finally {
      setTimeout(() => { waiting = false; if (again) { again = false; run(); } }, pause);
    }
  };
  return run;
}

/** Ask for a part again. By itself: htmx drops requests of one element that overtake each other. */
async function load(path, selector) {
  let answer;
  try {
    answer = await fetch(`${base}${path}`, { headers: { "HX-Request": "true" } });
  } catch { return; } // offline: everything is read again with the next connection
  // Signed out, or no member any more: the page ends.
  if (answer.status === 401 || (answer.status === 404 && path.startsWith("list/"))) location.reload();
  const html = await answer.text(), target = $(selector);
  if (answer.ok && target) htmx.swap(target, html, { swapStyle: "innerHTML" }, { eventInfo: { target } });
}

const refreshList = paced(() => {
  const query = new URLSearchParams(new FormData($("#filters form")));
  query.set("page", $("#list .talks")?.dataset.page ?? 1);
  const focused = document.activeElement?.dataset?.conversation;
  return load(`list/?${query}`, "#list").then(() => {
    mark();
    if (focused) $(`#list [data-conversation="${focused}"]`)?.focus();
  });
}, LIST_PAUSE);

const refreshThread = paced(async () => {
  const open = talk();
  if (!open) return;
  if (document.activeElement?.closest(".teach")) return; // somebody writes there
  const atEnd = isAtEnd();
  await load(`${open.dataset.id}/thread/`, "#thread");
  if (atEnd) toEnd();
}, 50);

const refreshPane = () => {
  const open = talk();
  if (!open || $("#reply")?.value || document.activeElement?.closest(".pane form")) return refreshThread();
  return load(`${open.dataset.id}/pane/`, "#pane");
};

function isAtEnd() {
  const thread = $("#thread");
  return thread.scrollHeight - thread.scrollTop - thread.clientHeight < 80;
}

function toEnd() {
  const thread = $("#thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
}

/** The open conversation is told apart in the list. */
function mark() {
  const open = talk()?.dataset.conversation;
  for (const link of document.querySelectorAll("#list [data-conversation]")) {
    if (link.dataset.conversation === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  $("main").classList.toggle("has-one", Boolean(open));
}

// -- What is heard ---------------------------------------------------------------------------------

let quiet; // hides "is typing" again
const isOpen = (data) => talk()?.dataset.conversation === data.conversation;
const isListed = (data) => Boolean($(`#list [data-conversation="${data.conversation}"]`));

const HEARD = {
  again: () => { refreshList(); refreshPane(); },
  message: (data) => {
    if (isOpen(data)) {
      refreshThread();
      if (data.author === "customer") {
        types(false);
        htmx.trigger("#suggestions", "customer-wrote");
      }
    }
    if (isListed(data)) {
      refreshList();
      if (data.author === "customer") alertMe(body.dataset.message);
    }
  },
  state: (data) => {
    refreshList();
    if (isOpen(data)) refreshPane();
    if (data.state === "waiting") alertMe(body.dataset.request);
  },
  desk: (data) => { refreshList(); if (isOpen(data)) refreshPane(); },
  note: (data) => {
    if (isOpen(data)) refreshThread();
    if (data.mentions?.includes(me)) { refreshList(); alertMe(`@${me}`); }
  },
  presence: (data) => { if (isOpen(data) && data.agent !== me) refreshThread(); },
  typing: (data) => {
    if (isOpen(data) && data.author === "customer") types(true);
  },
};

/** The customer is typing, or is silent again: after some seconds, too. */
function types(on) {
  const line = $("#visitor");
  clearTimeout(quiet);
  if (line) line.textContent = on ? body.dataset.typing : "";
  if (on) quiet = setTimeout(() => types(false), 5000);
}

function listen() {
  const events = new EventSource(`${base}events/`);
  const status = $("#live");
  for (const [name, heard] of Object.entries(HEARD)) {
    events.addEventListener(name, (event) => {
      status.textContent = body.dataset.live;
      heard(JSON.parse(event.data));
    });
  }
  events.onerror = () => {
    status.textContent = body.dataset.offline;
    if (events.readyState !== EventSource.CLOSED) return;
    refreshList(); // refused: perhaps to this person
    setTimeout(listen, 3000);
  };
  addEventListener("pagehide", () => events.close());
}

// -- Sound and notification, where they are wished for -----------------------------------------------

const wish = (name) => { try { return localStorage.getItem(name) === "1"; } catch { return false; } };
const keep = (name, on) => { try { localStorage.setItem(name, on ? "1" : ""); } catch { /* not kept */ } };

function alertMe(text) {
  if ($("#sound").checked) beep();
  if ($("#notify").checked && document.hidden && Notification.permission === "granted") {
    new Notification(text, { tag: "inbox" });
  }
}

function beep() {
  const audio = new AudioContext(), tone = audio.createOscillator(), volume = audio.createGain();
  volume.gain.value = 0.05;
  tone.frequency.value = 660;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.15);
  tone.onended = () => audio.close();
}

for (const id of ["sound", "notify"]) {
  const box = $(`#${id}`);
  box.checked = wish(id);
  box.addEventListener("change", async () => {
    if (id === "notify" && box.checked && "Notification" in window) {
      box.checked = (await Notification.requestPermission()) === "granted";
    }
    keep(id, box.checked);
  });
}

// -- Writing ---------------------------------------------------------------------------------------

function say(typing) {
  const open = talk();
  if (!open || document.hidden) return;
  const form = new URLSearchParams({ typing: typing ? "1" : "0" });
  fetch(`${base}${open.dataset.id}/present/`, {
    method: "POST", body: form, headers: { "X-CSRFToken": token() },
  }).catch(() => { /* colleagues do not see it, nothing else */ });
}

let typed = 0;
body.addEventListener("input", (event) => {
  if (event.target.id !== "reply" || Date.now() - typed < TYPED) return;
  typed = Date.now();
  say(true);
});
setInterval(() => say(false), PRESENT);

body.addEventListener("change", (event) => {
  if (event.target.id !== "canned" || !event.target.value) return;
  insert(event.target.value);
  event.target.value = "";
});

function insert(text) {
  const reply = $("#reply");
  if (!reply) return;
  reply.setRangeText(text, reply.selectionStart, reply.selectionEnd, "end");
  reply.focus();
}

body.addEventListener("click", (event) => {
  const { use, send } = event.target.closest("button")?.dataset ?? {};
  if (use !== undefined) insert(use);
  if (send !== undefined && $("#composer")) {
    $("#reply").value = send;
    htmx.trigger("#composer", "submit");
  }
});

// -- Keyboard --------------------------------------------------------------------------------------

function move(step) {
  const links = [...document.querySelectorAll("#list [data-conversation]")];
  const at = links.findIndex((link) => link === document.activeElement || link.hasAttribute("aria-current"));
  const next = links[Math.max(0, Math.min(links.length - 1, at + step))];
  next?.focus();
  next?.click();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  r: () => $("#reply")?.focus(),
  n: () => $("#note")?.focus(),
  "/": () => { $("#filters").open = true; $("#filters select").focus(); },
  "?": () => $("#keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.id === "reply") {
    event.preventDefault();
    htmx.trigger("#composer", "submit");
  } else if (event.key === "Escape" && field) field.blur();
  if (field || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  const act = KEYS[event.key];
  const button = /^[a-z0-9]$/.test(event.key) && $(`.pane [data-key="${event.key}"]`);
  if (!act && !button) return;
  event.preventDefault();
  if (act) act(); else button.click();
});
$("#keys-open").addEventListener("click", () => $("#keys").showModal());

let draft = {};

// -- After a part came ------------------------------------------------------------------------------

body.addEventListener("htmx:beforeSwap", (event) => {
  // What went wrong is told on top, until the next thing is done.
  if (event.detail.xhr.status < 400 && event.detail.requestConfig.verb === "post") $("#alerts").replaceChildren();
});
body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  if (target.id !== "pane") return;
  // A reply that was begun outlives a note or a tag; one that was sent does not.
  const sent = requestConfig.elt.id === "composer";
  draft = { id: talk()?.dataset.id, text: sent ? "" : $("#reply")?.value, sent };
});
body.addEventListener("htmx:afterSwap", (event) => {
  const { target } = event.detail;
  if (target?.matches(".translation")) target.scrollIntoView({ block: "nearest" });
  if (target?.id === "written" && isAtEnd()) toEnd(); // the composer has grown
  if (target?.id !== "pane") return;
  const reply = $("#reply");
  if (reply && draft.id === talk()?.dataset.id) {
    reply.value = draft.text ?? "";
    if (draft.sent) reply.focus();
  }
  draft = {};
  mark();
  toEnd();
  say(false);
});

mark();
toEnd();
addEventListener("DOMContentLoaded", listen);
if (document.readyState !== "loading" && window.htmx) listen();
