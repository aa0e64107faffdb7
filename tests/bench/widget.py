"""What the chat widget costs a page, its visitor and the server.

Figures: `loader_br_bytes` and `chat_br_bytes` (and raw, gz), `requests_before_click`, `requests_after_click`
and `rows_before_click`, `main_thread_ms` (of loading, beyond the same page without it), `axe_violations` (in
all states that are visited), `first_token_ms` in the browser and `first_token_ratio` by raw events over
HTTP, `idle_1000_bytes` (what 1,000 idle widgets add to one ASGI process), and those of the `inbox`, whose
agent is at the other end. Needs no data.
"""

from __future__ import annotations

import gzip
import http.client
import json
import resource
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import brotli
from tqdm import tqdm

from tests import web
from tests.bench import inbox, stack, streaming
from tests.live import widget

FILES = Path(__file__).resolve().parents[2] / "saas" / "widget" / "static" / "widget"
TIMES, IDLE = 9, 1_000
ASKED = "Do you ship batteries?"
PROTOCOL = {
    "loader_br_bytes": "must: at most 3,072; brotli at quality 11",
    "chat_br_bytes": "must: at most 20,480; all modules together",
    "requests_before_click": "must: 1, to our origin",
    "rows_before_click": "must: 0, added to any table of the tenant's",
    "main_thread_ms": f"must: at most 50; median of {TIMES} loads, less that of the page without it",
    "axe_violations": "must: 0; WCAG 2.2 AA; closed, open, answered, menu, waiting, rated, light and dark",
    "first_token_ms": "in the browser, from Enter to the first words on the screen; median",
    "first_token_ratio": "that, by the first delta of the same call over raw HTTP",
    "idle_1000_bytes": "must: at most 300 MB; resident memory that 1,000 open streams add",
}


def run(
    data: Path | None, *, quick: bool, running: ExitStack
) -> tuple[dict[str, float | None], dict[str, str]]:
    site = stack.start(running)
    port, process = streaming._asgi(site, running)
    api = f"http://127.0.0.1:{port}"
    tenant = stack.Tenant(site, "widget")
    tenant.call.post("knowledge", [{"question": ASKED, "answer": "Yes, by road only."}])
    while tenant.call.post("chat/messages", {"text": ASKED})["answer"]["kind"] != "passage":
        time.sleep(0.5)
    page = running.enter_context(web.serve())
    key = _key(tenant, page.url)
    figures: dict[str, float | None] = dict(_sizes())
    idle = 100 if quick else IDLE
    figures["idle_1000_bytes"] = _idle(api, process, tenant, key, page.url, idle) * IDLE / idle
    raw = _raw(api, key, page.url)
    with widget.browsing() as browser:
        figures |= _loading(browser, page, api, key, tenant)
        figures |= _talking(browser, page, raw)
    figures |= inbox.measure(site, quick=quick, running=running)
    return figures, PROTOCOL | inbox.PROTOCOL


def _key(tenant: stack.Tenant, origin: str) -> str:
    issued = tenant.call.post("keys", {"name": "page", "kind": "pk", "origins": [origin]})
    found: str = issued["secret"]
    return found


def _sizes() -> dict[str, float]:
    loader = (FILES / "widget.js").read_bytes()
    chat = [file.read_bytes() for file in FILES.glob("*.js") if file.name != "widget.js"]
    kinds = {"raw": lambda content: content, "gz": gzip.compress, "br": brotli.compress}
    return {
        f"{name}_{kind}_bytes": float(sum(len(packed(part)) for part in parts))
        for name, parts in (("loader", [loader]), ("chat", chat))
        for kind, packed in kinds.items()
    }


def _rows(tenant: stack.Tenant) -> int:
    from tenants import rls
    from tenants.scope import tenant_scope

    with tenant_scope(tenant.id):
        return sum(model._base_manager.count() for model in rls.tenant_models())


def _loading(browser: Any, page: web.Site, api: str, key: str, tenant: Any) -> dict[str, float]:
    page.pages["/bare"] = widget.html(api)
    page.pages["/"] = widget.html(api, f'data-key="{key}"')
    page.pages["/dark"] = widget.html(api, f'data-key="{key}"', language="zh")
    before, asked, bare, full = _rows(tenant), 0, [], []
    for number in range(TIMES + 1):
        asked, spent = _load(browser, f"{page.url}/", api)
        _, nothing = _load(browser, f"{page.url}/bare", api)
        if number:  # the first one warms up
            full.append(spent)
            bare.append(nothing)
    return {
        "requests_before_click": float(asked),
        "rows_before_click": float(_rows(tenant) - before),
        "main_thread_ms": 1000 * (statistics.median(full) - statistics.median(bare)),
    }


def _load(browser: Any, address: str, api: str) -> tuple[int, float]:
    """Requests to our origin, and seconds of the main thread."""
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(address, wait_until="networkidle")
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    context.close()
    spent = sum(found[n] for n in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration"))
    return len([url for url in asked if url.startswith(api)]), spent


def _talking(browser: Any, site: web.Site, raw: float) -> dict[str, float | None]:
    from axe_playwright_python.sync_playwright import Axe

    violations, times, after = 0, [], 0
    for path, scheme in (("/", "light"), ("/dark", "dark")):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        asked: list[str] = []

        def check(page: Any = page) -> None:
            nonlocal violations
            page.wait_for_timeout(400)
            rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
            violations += len(Axe().run(page, options={"runOnly": rules}).response["violations"])

        page.goto(f"{site.url}{path}", wait_until="networkidle")
        check()
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.locator(".launch").click()
        page.get_by_role("dialog").wait_for()
        page.wait_for_load_state("networkidle")
        after = len(asked)
        check()
        for _ in range(4):
            times.append(page.evaluate(FIRST_WORDS, ASKED))
            page.locator(".pending").wait_for(state="detached")
        check()
        page.locator("header .plain").first.click()
        check()
        page.keyboard.press("Escape")
        page.locator(".person").click()
        page.locator(".person").wait_for(state="hidden")
        check()
        page.locator("header .plain").first.click()
        page.locator(".menu button").nth(-2).click()
        page.locator(".star").nth(3).click()
        check()
        context.close()
    first = statistics.median(times)
    return {
        "requests_after_click": float(after),
        "axe_violations": float(violations),
        "first_token_ms": first,
        "raw_first_token_ms": raw,
        "first_token_ratio": first / raw,
    }


FIRST_WORDS = """(text) => new Promise((done) => {
    const root = document.querySelector(".frontdesk-widget").shadowRoot;
    const field = root.querySelector("textarea.say"), log = root.querySelector(".log");
    const begun = performance.now();
    new MutationObserver((_, self) => {
        if (!log.querySelector(".streaming .b p")) return;
        self.disconnect();
        done(performance.now() - begun);
    }).observe(log, { childList: true, subtree: true });
    field.value = text;
    field.form.requestSubmit();
})"""


def _raw(api: str, key: str, origin: str) -> float:
    """Milliseconds to the first delta of a visitor's message, median."""
    address, headers = urlsplit(api).netloc, {"Origin": origin, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request(
        "POST", "/widget/session", "{}", headers | {"Authorization": f"Bearer {key}"}
    )
    headers["Authorization"] = f"Bearer {json.loads(connection.getresponse().read())['token']}"
    times = []
    for _ in range(TIMES):
        connection = http.client.HTTPConnection(address, timeout=60)
        begun = time.perf_counter()
        body = json.dumps({"text": ASKED})
        connection.request(
            "POST", "/widget/messages", body, headers | {"Accept": "text/event-stream"}
        )
        answer = connection.getresponse()
        while not answer.readline().startswith(b"event: delta"):
            pass
        times.append(1000 * (time.perf_counter() - begun))
        answer.read()
        connection.close()
    return statistics.median(times)


def _idle(
    api: str, process: int, tenant: stack.Tenant, key: str, origin: str, number: int
) -> float:
    from saas.chat import conversations
    from tenants import keys, visitors
    from tenants.scope import tenant_scope

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    principal = keys.find(key)
    assert principal is not None
    held = []
    before = streaming._resident(process)
    for _ in tqdm(range(number), desc="idle widgets"):
        id = visitors.new_id()
        with tenant_scope(tenant.id):
            conversation = conversations.begin(f"visitor:{id}", language="en")
        token = visitors.sign(key=principal, id=id, origin=origin)
        connection = http.client.HTTPConnection(urlsplit(api).netloc, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Origin": origin}
        path = f"/widget/live?conversation_id={conversation}"
        connection.request("GET", path, headers=headers | {"Accept": "text/event-stream"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {answer.read()[:300]!r}")
        answer.readline()
        held.append((connection, answer))
    time.sleep(2)
    added = 1024 * (streaming._resident(process) - before)
    for connection, _ in held:
        connection.close()
    return added
