"""How soon a streamed answer begins, and what those who wait for one cost.

Figures, of a web server by WSGI and one by ASGI: `first_event_ratio` (median time to the first event over
HTTP, by that of a plain answer's first stage: plan, reservation, encoder and search, timed in this
process without HTTP), the times themselves, and what `READERS` who wait for one unfinished answer add to
the ASGI server: database connections, and resident memory for each.
"""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from saas.demo import laptop
from tests.bench import stack

READERS, QUICK_READERS = 200, 40
TIMES, QUICK_TIMES = 60, 15
PAIRS = {
    "Do you ship batteries?": "Yes, by road only.",
    "How long may I return an article?": "Within 30 days, unused.",
    "能开发票吗？": "可以，下单时填写抬头即可。",
}
ASKED = "Can batteries be shipped?"
PROTOCOL = {
    "first_event_ratio": "must: at most 1.2; the worse of WSGI and ASGI; medians of calls one by one",
    "first_stage_ms": "plan, reservation, encoder and search, in this process, without HTTP",
    "readers_connections": f"to the database, added by {READERS} who wait (ASGI)",
}


def measure(site: laptop.Site, running: ExitStack, *, quick: bool) -> dict[str, float]:
    """Of a running product; starts an ASGI server beside it."""
    times, readers = (QUICK_TIMES, QUICK_READERS) if quick else (TIMES, READERS)
    tenant = stack.Tenant(site, "stream")
    tenant.call.post("knowledge", [{"question": q, "answer": a} for q, a in PAIRS.items()])
    while tenant.call.post("chat/messages", {"text": ASKED})["answer"]["kind"] != "passage":
        time.sleep(0.5)  # its vectors are made by the worker
    stage = _median(partial(_first_stage, tenant), times)
    figures = {"first_stage_ms": stage, "plain_answer_ms": _median(partial(_plain, tenant), times)}
    port, process = _asgi(site, running)
    for name, address in (("wsgi", urlsplit(site.url).netloc), ("asgi", f"127.0.0.1:{port}")):
        figures[f"first_event_ms_{name}"] = _median(partial(_first_event, address, tenant), times)
        figures[f"first_event_ratio_{name}"] = figures[f"first_event_ms_{name}"] / stage
    figures["first_event_ratio"] = max(figures[f"first_event_ratio_{n}"] for n in ("wsgi", "asgi"))
    connections, kilobytes = _waiting(f"127.0.0.1:{port}", process, tenant, readers)
    figures |= {"readers_connections": connections, "reader_kb": kilobytes}
    return figures


def _median(timed: Callable[[], float], times: int) -> float:
    """Milliseconds."""
    timed()
    return 1000 * statistics.median(timed() for _ in range(times))


def _plain(tenant: stack.Tenant) -> float:
    begun = time.perf_counter()
    tenant.call.post("chat/messages", {"text": ASKED})
    return time.perf_counter() - begun


def _first_stage(tenant: stack.Tenant) -> float:
    """Until a plain answer's passages are found; what follows is composed and stored."""
    from saas.chat import dialog
    from tenants.scope import tenant_scope

    turn = dialog.Turn(
        dialog.Said(ASKED, "en"),
        scope=partial(tenant_scope, tenant.id),
        api_key=None,
        begin=lambda: None,
        end=lambda told: told,
    )
    begun = time.perf_counter()
    steps = turn.events()
    while not isinstance(next(steps), dialog.Delta):
        pass
    took = time.perf_counter() - begun
    steps.close()
    return took


def _first_event(address: str, tenant: stack.Tenant) -> float:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.connect()
    headers = tenant.call.headers | {"Accept": "text/event-stream"}
    body = json.dumps({"text": ASKED}).encode()
    begun = time.perf_counter()
    connection.request(
        "POST", "/v1/chat/messages", body, headers | {"Content-Type": "application/json"}
    )
    response = connection.getresponse()
    while not response.readline().startswith(b"data:"):
        pass
    took = time.perf_counter() - begun
    told = response.read()
    connection.close()
    if b"event: done" not in told:
        raise RuntimeError(f"The answer did not end: {told[-500:]!r}")
    return took


def _asgi(site: laptop.Site, running: ExitStack) -> tuple[int, int]:
    """Port and process of an ASGI server."""
    port = laptop._free_port(8150)
    arguments = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(port), "--no-ws")
    laptop._launch(running, site, "live", "-m", "granian", *arguments, "saas.asgi:application")
    laptop._await_ready(laptop.Site(site.home, f"http://127.0.0.1:{port}", site.processes))
    parent = site.processes["live"].pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return port, int(children[-1])  # the worker comes after the resource tracker


def _waiting(address: str, process: int, tenant: stack.Tenant, readers: int) -> tuple[int, float]:
    from saas.chat.streams import Event, Log

    log = Log(tenant.id, uuid4())
    log.append(Event("message.started", {}))
    before, memory = _connections(), _resident(process)
    waiting = []
    for number in range(readers):
        if number % 20 == 0:
            log.append(Event("delta", {"text": ""}))
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request(
            "GET", f"/v1/chat/messages/{log.message_id}/events", headers=tenant.call.headers
        )
        response = connection.getresponse()
        response.readline()
        waiting.append((connection, response))
    added = _connections() - before, (_resident(process) - memory) / readers
    log.append(Event("done", {}))
    for connection, response in waiting:
        if b"event: done" not in response.read():
            raise RuntimeError("A reader was not told the end.")
        connection.close()
    return added


def _connections() -> int:
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'frontdesk_app'")
        found: int = cursor.fetchone()[0]
    return found


def _resident(process: int) -> float:
    """Kilobytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0])
