// Without this script the forms load the whole page; with it, only what a question or a click changes.
// A part's children go into the element it names, so that live regions stay the same elements.

function put(html) {
  const parts = new DOMParser().parseFromString(html, "text/html").body.children;
  for (const part of [...parts]) {
    if (part.name) {
      for (const field of document.querySelectorAll("form")) keep(field, part.name, part.value);
      continue;
    }
    const place = document.getElementById(part.dataset.for);
    if (part.dataset.append) place.append(...part.childNodes);
    else place.replaceChildren(...part.childNodes);
  }
}

// What the page remembers stands in hidden fields, in every form that keeps the visitor's place.
function keep(form, name, value) {
  if (form.matches(".personas") || (name === "item" && form.id === "shelf")) return;
  let field = form.querySelector(`input[type=hidden][name=${name}]`);
  if (!field) {
    field = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.append(field);
  }
  field.value = value;
}

function tick(before) {
  const after = document.querySelectorAll("#counter b");
  after.forEach((figure, place) => {
    figure.classList.toggle("ticked", figure.textContent !== before[place]);
  });
}

function wait(form, question) {
  const waiting = document.createElement("p");
  waiting.className = "turn bot waiting";
  waiting.textContent = document.querySelector(".ask").dataset.waiting;
  const asked = document.createElement("p");
  asked.className = "turn you waiting";
  asked.textContent = question;
  const log = document.getElementById("log");
  log.append(asked, waiting);
  log.scrollTop = log.scrollHeight;
}

async function send(form, fields) {
  const before = [...document.querySelectorAll("#counter b")].map((figure) => figure.textContent);
  const problem = document.getElementById(`${form.dataset.parts}-problem`);
  problem.textContent = "";
  document.body.setAttribute("aria-busy", "true");
  try {
    const response = await fetch("/", { method: "POST", body: fields, headers: { "X-Parts": "1" } });
    const html = await response.text();
    if (!html.includes("data-for")) throw new Error(`answered ${response.status}`);
    for (const waiting of document.querySelectorAll(".waiting")) waiting.remove();
    put(html);
    tick(before);
    return response.ok;
  } catch {
    problem.textContent = document.querySelector(".ask").dataset.offline;
    return false;
  } finally {
    for (const waiting of document.querySelectorAll(".waiting")) waiting.remove();
    document.body.removeAttribute("aria-busy");
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.parts) return;
  event.preventDefault();
  if (document.body.hasAttribute("aria-busy")) return;
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  const log = document.getElementById("log");
  const question = document.getElementById("question");
  if (form.dataset.parts === "chat") {
    wait(form, fields.get("text"));
    const turns = log.children.length;
    if (await send(form, fields) && form.contains(question)) question.value = "";
    log.scrollTop = log.scrollHeight;
  } else if (await send(form, fields)) {
    // The clicked button is gone: go on from the item it stood for.
    document.getElementById("looked").focus({ preventScroll: true });
    document.getElementById("looked").scrollIntoView({ block: "nearest" });
  }
});

document.getElementById("log").scrollTop = document.getElementById("log").scrollHeight;
