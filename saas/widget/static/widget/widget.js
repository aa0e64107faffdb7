// The button of a Frontdesk chat: all that a page loads until somebody clicks. docs/widget.md tells how to use it.
(() => {
  const script = document.currentScript;
  const given = script.dataset;
  const key = given.key || "";
  const all = (window.FrontdeskWidgets ||= new Map());
  const early = Array.isArray(window.Frontdesk) ? window.Frontdesk : [];
  if (!key.startsWith("fd_pk_")) return console.error("Frontdesk: data-key must be a publishable key (fd_pk_…).");
  if (all.has(key)) return console.warn("Frontdesk: this widget is on the page already.");

  const source = new URL(script.src);
  const name = `frontdesk:${key.slice(6, 22)}`;
  const kept = (() => {
    try {
      return JSON.parse(localStorage.getItem(name)) || {};
    } catch {
      return {}; // storage is blocked, or holds something else
    }
  })();
  const fixed = { ...(given.colour && { colour: given.colour }), ...(given.side && { side: given.side }) };
  const look = { ...kept.look, ...fixed };
  const language = given.lang || document.documentElement.lang || navigator.language || "en";
  const chinese = /^zh/i.test(language);
  const listeners = {};
  const emit = (event, detail) => (listeners[event] || []).forEach((listener) => listener(detail));

  const host = document.createElement("div");
  host.className = "frontdesk-widget";
  host.lang = language;
  host.dir = document.documentElement.dir === "rtl" || /^(ar|fa|he|ur)\b/i.test(language) ? "rtl" : "ltr";
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host{all:initial;--bottom:${20 + 76 * all.size}px;--side:20px;position:fixed;z-index:2147483000;bottom:calc(var(--bottom) + env(safe-area-inset-bottom));inset-inline-end:calc(var(--side) + env(safe-area-inset-right));color-scheme:light dark;font:16px/1.45 system-ui,-apple-system,"Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
:host(.open){z-index:2147483001}
:host(.left){inset-inline:calc(var(--side) + env(safe-area-inset-left)) auto}
.launch{all:unset;box-sizing:border-box;position:relative;display:grid;place-items:center;inline-size:56px;block-size:56px;border-radius:50%;background:var(--c);color:var(--on);cursor:pointer;box-shadow:0 4px 16px #0005}
.launch:focus-visible,.hail button:focus-visible{outline:3px solid var(--c);outline-offset:3px;box-shadow:0 0 0 3px Canvas}
.launch[aria-busy=true]{animation:wait .7s .2s infinite alternate}@keyframes wait{to{opacity:.45}}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;background:#b3001b;color:#fff;font-size:13px;line-height:20px;text-align:center}
.hail{position:absolute;inset-block-end:4px;inset-inline-end:68px;inline-size:max-content;max-inline-size:min(260px,60vw);display:flex;background:Canvas;color:CanvasText;border:1px solid #8886;border-radius:14px;box-shadow:0 4px 16px #0003}
:host(.left) .hail{inset-inline:68px auto}
.hail button{all:unset;padding:10px 14px;cursor:pointer;border-radius:14px}
[hidden]{display:none!important}
@media (prefers-reduced-motion:reduce){.launch{animation:none!important}}
@media print{:host{display:none}}`);
  root.adoptedStyleSheets = [sheet];

  const draw = () => {
    const colour = /^#[0-9a-f]{6}$/i.test(look.colour) ? look.colour : "#1f5fd0";
    const [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
    host.style.setProperty("--c", colour);
    host.style.setProperty("--on", 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff");
    host.classList.toggle("left", look.side === "left");
  };
  draw();

  const button = document.createElement("button");
  button.className = "launch";
  button.type = "button";
  button.setAttribute("aria-haspopup", "dialog");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [at, value] of Object.entries({ viewBox: "0 0 24 24", width: 28, height: 28, fill: "currentColor", "aria-hidden": "true" })) svg.setAttribute(at, value);
  const path = svg.appendChild(document.createElementNS(svg.namespaceURI, "path"));
  path.setAttribute("d", "M12 3c5 0 9 3.4 9 7.7s-4 7.7-9 7.7a11 11 0 0 1-2.6-.3L4.6 21l.9-4.2A7.2 7.2 0 0 1 3 10.7C3 6.4 7 3 12 3Z");
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.setAttribute("aria-hidden", "true");
  button.append(svg, badge);
  let count = kept.unread || 0;
  const unread = (now) => {
    count = now;
    badge.hidden = !count;
    badge.textContent = count > 9 ? "9+" : count;
    button.setAttribute("aria-label", ((own.table?.[language] ?? own.table?.[language.split("-")[0]])?.open ?? (chinese ? "打开客服聊天" : "Open the chat")) + (count ? (chinese ? `，${count} 条未读` : `, ${count} unread`) : ""));
    emit("unread", count);
  };
  root.append(button);

  let loading;
  const busy = (is) => button.setAttribute("aria-busy", is);
  const load = () =>
    (loading ||= (busy(true), import(new URL("chat.js", source).href))
      .then((chat) => chat.start({ host, root, key, name, look, fixed, language, emit, unread, button, draw, api: given.api || `${source.origin}/widget/` }))
      .catch((error) => {
        loading = undefined; // the next click tries again
        button.setAttribute("aria-label", chinese ? "聊天暂时无法打开，请重试" : "The chat could not be opened. Try again");
        console.error("Frontdesk:", error);
        throw error;
      })
      .finally(() => busy(false)));
  const then = (method) => (...parts) => void load().then((chat) => chat[method](...parts), () => {});
  const own = {
    open: then("open"),
    close: () => loading && then("close")(),
    identify: (proof) => ((own.proof = proof), loading && then("identify")(proof)),
    forget: then("forget"),
    words: (lang, table) => ((own.table = { ...own.table, [lang]: table }), unread(count), loading && then("words")(lang, table)),
    on: (event, listener) => ((listeners[event] ||= []).push(listener), own),
    of: (other) => all.get(other),
  };
  host.frontdesk = own;
  unread(count);
  button.addEventListener("click", () => then("toggle")());

  const rule = (look.rules || []).find((one) => location.pathname.startsWith(one.path) && one.says[chinese ? "zh" : "en"]);
  const greeting = given.greeting || rule?.says[chinese ? "zh" : "en"];
  if (greeting && !kept.greeted && !kept.token) setTimeout(() => {
    if (loading) return;
    const hail = document.createElement("div");
    hail.className = "hail";
    const say = hail.appendChild(document.createElement("button"));
    say.textContent = greeting;
    const away = hail.appendChild(document.createElement("button"));
    away.textContent = "×";
    away.setAttribute("aria-label", chinese ? "关闭" : "Dismiss");
    say.onclick = () => (hail.remove(), own.open());
    away.onclick = () => {
      hail.remove();
      try {
        localStorage.setItem(name, JSON.stringify({ ...kept, greeted: 1 }));
      } catch {} // then it greets on the next page, too
    };
    own.on("open", () => hail.remove());
    root.append(hail);
  }, 1000 * (given.after ?? rule?.after ?? 5));

  all.set(key, own);
  if (all.size === 1) window.Frontdesk = own;
  const begin = () => {
    document.body.append(host);
    if (kept.awaits || kept.outbox?.length) load().catch(() => {}); // an earlier page asked for a person, or could not send
    for (const [method, ...parts] of early) own[method]?.(...parts);
  };
  document.body ? begin() : addEventListener("DOMContentLoaded", begin);
})();
