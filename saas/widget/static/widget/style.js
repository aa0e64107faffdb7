/** The look of the open chat. Logical properties: it is right to left where the page's language is. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
.panel{--bg:#fff;--fg:#1c2025;--dim:#5a626d;--line:#d9dee4;--soft:#f1f3f6;--bad:#b3001b;position:absolute;inset-block-end:70px;inset-inline-end:0;inline-size:384px;block-size:min(640px,calc(100dvh - 110px - var(--bottom)));display:grid;grid-template-rows:auto auto 1fr auto;overflow:hidden;border-radius:16px;background:var(--bg);color:var(--fg);box-shadow:0 8px 40px #0004,0 0 0 1px #0001;animation:rise .18s ease-out}
:host(.left) .panel{inset-inline:0 auto}
.panel.dark{--bg:#17191d;--fg:#eef0f3;--dim:#a9b1bc;--line:#3a404a;--soft:#252930;--bad:#ff8c8c;color-scheme:dark}
.panel.light{color-scheme:light}
@media (prefers-color-scheme:dark){.panel.auto{--bg:#17191d;--fg:#eef0f3;--dim:#a9b1bc;--line:#3a404a;--soft:#252930;--bad:#ff8c8c}}
@keyframes rise{from{opacity:0;transform:translateY(12px)}}
.panel *{box-sizing:border-box}
button,input,textarea,select{font:inherit;color:inherit}
button{cursor:pointer}
button:disabled{cursor:default;opacity:.55}
:focus-visible{outline:2px solid var(--fg);outline-offset:2px}
header{display:flex;align-items:center;gap:4px;padding:12px;padding-block-start:calc(12px + env(safe-area-inset-top,0px)*var(--full,0));background:var(--c);color:var(--on)}
header h2{margin:0;font-size:16px;line-height:1.25;overflow-wrap:anywhere}
header :focus-visible{outline-color:var(--on)}
.who{flex:1;min-inline-size:0;padding-inline-start:4px}
.who p{margin:2px 0 0;font-size:13px}
.plain{display:grid;place-items:center;min-inline-size:36px;min-block-size:36px;border:0;border-radius:8px;background:none;padding:6px}
.plain:hover{background:color-mix(in srgb,currentColor 14%,transparent)}
.bar{display:flex;justify-content:space-between;align-items:center;gap:8px;padding:6px 12px;background:var(--soft);border-block-end:1px solid var(--line);font-size:14px;min-block-size:44px}
.bar p{margin:0;color:var(--dim);max-block-size:6em;overflow:auto}
.person{display:inline-flex;align-items:center;gap:6px;flex:none;border:1px solid var(--line);border-radius:18px;background:var(--bg);padding:4px 12px;min-block-size:32px;font-weight:600}
.log{overflow-y:auto;overscroll-behavior:contain;padding:14px;display:flex;flex-direction:column;gap:10px}
.log>*{flex:none}
.m{max-inline-size:86%;align-self:flex-start}
.m.customer{align-self:flex-end}
.m>small,.note{color:var(--dim);font-size:12.5px}
.b{padding:9px 13px;border-radius:14px 14px 14px 4px;background:var(--soft);overflow-wrap:anywhere}
.customer .b,:host([dir=rtl]) .b{border-radius:14px 14px 4px}
:host([dir=rtl]) .customer .b{border-radius:14px 14px 14px 4px}
.customer .b{background:var(--c);color:var(--on)}
.customer :focus-visible{outline-color:var(--on);outline-offset:-3px}
.b p,.b ul,.b ol{margin:0}
.b>*+*{margin-block-start:8px}
.b ul,.b ol{padding-inline-start:20px}
.b a{color:inherit;text-decoration:underline;text-underline-offset:2px}
code{font:13px/1.4 ui-monospace,monospace;background:#8883;border-radius:4px;padding:1px 4px}
.cite{border:0;border-radius:9px;background:#8883;padding:0;margin-inline-start:3px;font-size:11px;line-height:18px;vertical-align:2px;inline-size:24px}
.link{border:0;background:none;padding:4px;text-decoration:underline}
.note{align-self:center;text-align:center;margin:0}
.bad{color:var(--bad);padding-block-end:8px}
.note:empty{display:none}
details{font-size:13.5px;margin-block-start:6px}
summary{cursor:pointer;padding:4px 0;color:var(--dim)}
blockquote{margin:4px 0 8px;padding:4px 10px;border-inline-start:3px solid var(--line);color:var(--dim)}
blockquote b{color:var(--fg)}
.cards{display:grid;gap:8px;margin:8px 0 0;padding:0;list-style:none}
.card{display:flex;gap:10px;align-items:center;padding:8px;border:1px solid var(--line);border-radius:12px;text-decoration:none;color:inherit;background:var(--bg)}
a.card:hover{background:var(--soft)}
.card img{inline-size:64px;block-size:64px;object-fit:cover;border-radius:8px;background:var(--soft)}
.card b{display:block;font-size:14.5px;line-height:1.3}
.card span{font-size:13.5px;color:var(--dim)}
.b img.sent{display:block;max-inline-size:100%;max-block-size:220px;border-radius:8px}
.row{display:flex;flex-wrap:wrap;gap:6px;margin-block-start:6px;align-items:center}
.chip{border:1px solid var(--line);border-radius:16px;background:var(--bg);padding:5px 12px;min-block-size:32px;text-align:start}
.chip:hover,.person:hover{background:var(--soft)}
.chip[aria-pressed=true]{background:var(--fg);color:var(--bg)}
.go{border:0;border-radius:10px;background:var(--c);color:var(--on);padding:7px 14px;min-block-size:36px;font-weight:600}
.thumb{color:var(--dim);border-radius:8px;min-inline-size:28px;min-block-size:28px;padding:3px}
.thumb[aria-pressed=true]{color:var(--fg);background:var(--soft)}
.m>form.ask{margin-block-start:6px;min-inline-size:240px}
form.ask{display:grid;gap:8px;padding:10px;border:1px solid var(--line);border-radius:12px;inline-size:100%}
form.ask label{font-size:14px}
form.ask input,form.ask textarea{display:block;inline-size:100%;margin-block-start:4px;padding:8px 10px;border:1px solid var(--dim);border-radius:8px;background:var(--bg);min-block-size:38px}
.star{border:0;background:none;font-size:28px;line-height:1;min-inline-size:40px;min-block-size:40px;color:var(--fg)}
[role=radiogroup]{text-align:center}
.dots{display:inline-flex;gap:4px;padding:6px 0}
.dots i{inline-size:7px;block-size:7px;border-radius:50%;background:var(--dim);animation:dot 1.2s infinite}
.dots i:nth-child(2){animation-delay:.2s}.dots i:nth-child(3){animation-delay:.4s}
@keyframes dot{30%{opacity:.25}}
footer{border-block-start:1px solid var(--line);padding:8px;padding-block-end:calc(8px + env(safe-area-inset-bottom,0px)*var(--full,0))}
.compose{display:flex;align-items:flex-end;gap:4px}
textarea.say{flex:1;min-inline-size:0;resize:none;border:1px solid var(--dim);border-radius:12px;background:var(--bg);padding:8px 12px;max-block-size:132px;min-block-size:40px;line-height:1.4;font-size:16px}
.say:focus-visible,.ask :is(input,textarea):focus-visible{outline-offset:-1px}
.say:placeholder-shown{direction:inherit}
:host([dir=rtl]) .compose>:last-child{transform:scaleX(-1)}
::placeholder{color:var(--dim);opacity:1}
.menu{position:absolute;inset-block-start:58px;inset-inline-end:10px;z-index:2;display:grid;min-inline-size:210px;padding:6px;border-radius:12px;background:var(--bg);color:var(--fg);box-shadow:0 6px 24px #0005,0 0 0 1px var(--line)}
.menu button{border:0;background:none;text-align:start;padding:8px 10px;border-radius:8px;min-block-size:38px}
.menu button:hover{background:var(--soft)}
.hidden{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:480px){.panel{--full:1;position:fixed;inset:0 0 auto!important;inline-size:100%;block-size:var(--height,100dvh);border-radius:0}:host(.open) .launch,:host(.open) .hail{display:none}}
@media (prefers-reduced-motion:reduce){.panel,.dots i{animation:none}}
@media (forced-colors:active){.b,.launch,.go{border:1px solid}}
`);
