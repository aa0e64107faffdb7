"""Real processes: a worker with beat and a web server, on the tests' own databases."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Business, found
from tests.live import widget

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = {"RUN_LEASE_SECONDS": "3", "DJANGO_SETTINGS_MODULE": "saas.settings"}


@pytest.fixture
def business(committed: None) -> Business:
    return found(f"live-{secrets.token_hex(4)}")


class Process:
    """One process of the product, with its log."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT | environment,
            stdin=subprocess.DEVNULL,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill(self) -> None:
        """As the kernel does it when memory is short: the process and its children, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Starts workers (with beat), and stops them after the test."""
    started: list[Process] = []

    def start() -> Process:
        arguments = ("-m", "celery", "-A", "saas", "worker", "-B", "--concurrency", "1")
        started.append(Process(tmp_path / "worker.log", *arguments))
        return started[-1]

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[[int], Process]]:
    """Starts web servers on a port and waits until they are ready."""
    started: list[Process] = []

    def start(port: int) -> Process:
        arguments = ("-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws")
        process = Process(tmp_path / "web.log", *arguments, "saas.wsgi:application")
        started.append(process)
        eventually(lambda: status(port, "/readyz") == 200, log=process.log, process=process)
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def port() -> int:
    return _port()


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(django_db_setup: None, tmp_path_factory: Any) -> Iterator[tuple[str, Process]]:
    """The product in one ASGI process, for all that a browser is to see of it."""
    widget.chromium()
    port = _port()
    process = widget.serve(port, tmp_path_factory.mktemp("web") / "web.log")
    yield f"http://127.0.0.1:{port}", process
    process.stop()


@pytest.fixture
def api(server: tuple[str, Process]) -> str:
    return server[0]


@pytest.fixture(scope="module")
def chromium(server: Any) -> Iterator[Any]:
    with widget.browsing() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Any, committed: None) -> Iterator[Any]:
    """Its windows are closed before the tables are emptied, for which no request may be on its way."""
    yield chromium
    for context in list(chromium.contexts):
        context.close()


@pytest.fixture
def site() -> Iterator[Any]:
    with widget.customer_site() as site:
        yield site


def status(port: int, path: str) -> int | None:
    """The HTTP status of a page, None where nobody answers."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None


def call(port: int, secret: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    connection.request(method, f"/v1/{path}", json.dumps(body) if body is not None else "", headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read() or "null")


def stream(port: int, secret: str, text: str) -> Any:
    """What a streamed answer ends with; raises ValueError where it is cut off."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    body = json.dumps({"text": text})
    connection.request("POST", "/v1/chat/messages", body, headers | {"Accept": "text/event-stream"})
    told = connection.getresponse().read().decode()
    event, _, data = told.rstrip().rpartition("\ndata: ")
    if not event.endswith("event: done"):
        raise ValueError(told)
    return json.loads(data)


def eventually(
    holds: Callable[[], Any],
    *,
    log: Path | None = None,
    process: Process | None = None,
    within: float = 240,
) -> None:
    """Wait for a state that other processes bring about; fail with their log if it never comes."""
    deadline = time.monotonic() + within
    while not holds():
        ended = process is not None and process.process.poll() is not None
        if ended or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
            pytest.fail(f"It did not come to that within {within} s. The log ends:\n{tail}")
        time.sleep(0.1)
