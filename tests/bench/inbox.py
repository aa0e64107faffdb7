"""How soon an agent's screen shows what a customer did, in a real browser beside a running product.

Figures: `agent_sees_p95_ms` (from a customer's message being stored, by its own time, until it stands in
the page of the agent who has the conversation), `hand_off_seen_p95_ms` (from a hand-off being requested
until it stands in the list), and their medians; with `TALKS` open conversations of the tenant.
"""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.bench import http, stack

TALKS, QUICK_TALKS = 200, 40
TIMES, QUICK_TIMES = 60, 15
PAUSE = 2_100  # milliseconds: a conversation takes 30 messages a minute
PASSWORD = "correct horse battery"
PROTOCOL = {
    "agent_sees_p95_ms": f"must: at most 300; {TALKS} open conversations, one agent's page open",
    "hand_off_seen_p95_ms": "must: at most 1000; from the request until it is in the list",
}
# When a text first stands in the page, by the page's clock: the same machine's as the server's.
SEEN = """([where, text]) => new Promise((found) => {
  const look = () => {
    const there = document.querySelector(where)?.textContent.includes(text);
    if (there) found(Date.now());
    return there;
  };
  if (!look()) {
    const watch = new MutationObserver(() => look() && watch.disconnect());
    watch.observe(document.body, { childList: true, subtree: true, characterData: true });
  }
})"""


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    return measure(stack.start(running), quick=quick, running=running), PROTOCOL


def measure(site: Any, *, quick: bool, running: ExitStack) -> dict[str, float]:
    """The figures of `PROTOCOL`, beside a running product."""
    tenant = stack.Tenant(site, "inbox")
    owner = _agent(tenant)
    talks = http.each("open conversations", _opened(tenant), range(QUICK_TALKS if quick else TALKS))
    page = _page(running, site.url, tenant, owner, talks[-1])
    times = QUICK_TIMES if quick else TIMES
    seen = [_message(page, tenant, talks[-1], number) for number in range(times)]
    page.goto(f"{site.url}/t/{tenant.slug}/inbox/?order=latest")
    page.locator("#live", has_text="Live").wait_for()
    asked = [_request(page, tenant, number) for number in range(times)]
    return {
        "agent_sees_p95_ms": _p95(seen),
        "agent_sees_p50_ms": statistics.median(seen),
        "hand_off_seen_p95_ms": _p95(asked),
        "hand_off_seen_p50_ms": statistics.median(asked),
    }


def _agent(tenant: stack.Tenant) -> str:
    from tenants.models import User

    user = User.objects.get(email=f"owner@{tenant.slug}.example")
    user.set_password(PASSWORD)
    user.save()
    return user.email


def _opened(tenant: stack.Tenant) -> Callable[[int], str]:
    def one(number: int) -> str:
        said = {"text": f"Question {number}", "customer": f"C{number:04}"}
        talk: str = tenant.call.post("chat/messages", said)["conversation_id"]
        tenant.call.post(f"conversations/{talk}/hand-off", {"priority": 1})
        return talk

    return one


def _page(running: ExitStack, url: str, tenant: stack.Tenant, email: str, talk: str) -> Any:
    """The agent's browser with the conversation open, which is theirs."""
    from playwright.sync_api import sync_playwright

    from saas.chat.models import HandOff
    from tenants.scope import tenant_scope

    with tenant_scope(tenant.id):
        hand_off = HandOff.objects.get(conversation=talk).id
    tenant.call.post(f"inbox/{hand_off}/take", {"agent": email})
    # Its event loop stays in this thread, and nothing here is awaited.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    playwright = running.enter_context(sync_playwright())
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
    )
    running.callback(browser.close)
    page = browser.new_page(locale="en-US")
    page.goto(f"{url}/account/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.goto(f"{url}/t/{tenant.slug}/inbox/{hand_off}/")
    page.locator("#live", has_text="Live").wait_for()
    return page


def _watched(page: Any, where: str, text: str, act: Callable[[], datetime]) -> float:
    """Milliseconds from when the act was stored until the page shows the text."""
    watch = page.evaluate_handle(f"(given) => ({{ seen: ({SEEN})(given) }})", [where, text])
    stored = act().timestamp() * 1000
    shown: float = page.evaluate("(watch) => watch.seen", watch)
    page.wait_for_timeout(PAUSE)
    return shown - stored


def _message(page: Any, tenant: stack.Tenant, talk: str, number: int) -> float:
    from saas.chat.models import Message
    from tenants.scope import tenant_scope

    def say() -> datetime:
        said = {"text": f"Is it there yet, {number}?", "conversation_id": talk}
        told = tenant.call.post("chat/messages", said)
        with tenant_scope(tenant.id):
            at: datetime = Message.objects.get(id=UUID(told["message_id"])).created_at
            return at

    return _watched(page, "#thread", f"Is it there yet, {number}?", say)


def _request(page: Any, tenant: stack.Tenant, number: int) -> float:
    from saas.chat.models import HandOff
    from tenants.scope import tenant_scope

    said = {"text": "Another question", "customer": f"New-{number:04}"}
    talk = tenant.call.post("chat/messages", said)["conversation_id"]

    def ask() -> datetime:
        tenant.call.post(f"conversations/{talk}/hand-off", {"priority": 9})
        with tenant_scope(tenant.id):
            at: datetime = HandOff.objects.get(conversation=talk).requested_at
            return at

    return _watched(page, "#list", f"New-{number:04}", ask)


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]
