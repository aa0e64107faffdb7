"""Every process of the product on one machine: databases, worker with beat, web server."""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from saas import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
READY_TIMEOUT = 300.0
STOP_TIMEOUT = 20.0
PR_SET_PDEATHSIG = 1


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why and what to do."""


@dataclass
class Site:
    """The running product."""

    home: Path
    url: str
    orders: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def orders_secret(self) -> Path:
        """The file with what the order server checks calls with."""
        return self.home / "orders.secret"

    def check(self) -> None:
        """Raise DemoError, with the end of its log, where a process has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                tail = (self.home / f"{name}.log").read_text(errors="replace")[-1500:]
                raise DemoError(f"The {name} process ended ({process.returncode}):\n{tail}")

    def wait(self) -> None:
        while True:
            self.check()
            time.sleep(1)


def start(running: ExitStack, *, port: int, name: str = "demo", **environment: str) -> Site:
    """Start everything and wait until it answers; `running` stops it all, in reverse.

    State is kept below var/`name`; `environment` adds settings for all processes.
    """
    home = ROOT / "var" / name
    with step("PostgreSQL and Redis"):
        services = embedded.start(home)
        running.callback(embedded.stop, services)
    web, orders = _free_port(port), _free_port(port + 100)
    allowed = {"OUTSIDE_ALLOWED": f"127.0.0.1:{orders}"}
    _write_environment(home, services, allowed | environment)
    with step("Database schema"):
        _migrate()
    site = Site(home, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{orders}/status")
    _launch(
        running, site, "orders", *("-m", "saas.demo.orders"), str(orders), str(site.orders_secret)
    )
    _launch(running, site, "worker", *_worker("celery"), "-B")
    _launch(running, site, "courier", *_worker("webhooks"), "--hostname", "courier@%h")
    # One message is read as soon by one thread as by two, which would keep the database waiting.
    threads = os.environ.get("THREADS", "1")
    _launch(running, site, "web", *_web(site), THREADS=threads)
    _await_ready(site)
    return site


class step:
    """One line of progress: what is under way, and how long it took."""

    def __init__(self, name: str) -> None:
        self.bar = tqdm(total=1, desc=f"{name:<34}", bar_format="{desc} {bar:24} {elapsed}")

    def __enter__(self) -> tqdm[None]:
        return self.bar

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.bar.update(self.bar.total - self.bar.n)
        self.bar.close()


def _write_environment(home: Path, services: embedded.Services, more: Mapping[str, str]) -> None:
    """The settings of all processes, also for manage.py while the demo serves."""
    secret = home / "secret_key"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(50))
    file = home / "services.env"
    environment = services.environment | {
        "SERVICES_FILE": str(file),
        "SECRET_KEY": secret.read_text(),
        "HTTPS": "0",
        "DJANGO_SETTINGS_MODULE": "saas.settings",
        **more,
    }
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
    os.environ.update(environment)


def _migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", database="owner", verbosity=0)


def _worker(queue: str) -> list[str]:
    return [
        *("-m", "celery", "-A", "saas", "worker", "--queues", queue),
        *("--concurrency", "1", "--loglevel", "INFO"),
    ]


def _web(site: Site) -> list[str]:
    port = site.url.rpartition(":")[2]
    # WSGI: the API and the page hold database connections per thread, which ASGI would not reuse. An
    # open chat waits in a thread of its own.
    return [
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port),
        *("--workers", "1", "--blocking-threads", "16", "--no-ws", "saas.wsgi:application"),
    ]


def _launch(running: ExitStack, site: Site, name: str, *arguments: str, **environment: str) -> None:
    log = (site.home / f"{name}.log").open("wb")
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C comes to the demo alone, which stops them in order
        preexec_fn=_die_with_parent(),
    )
    site.processes[name] = process
    running.callback(_stop, process)


def _die_with_parent() -> Callable[[], None]:
    """On Linux a killed demo takes its processes along."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port(wanted: int) -> int:
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoError(f"Ports {wanted} to {wanted + 49} are all taken. Choose another with --port.")


def _await_ready(site: Site) -> None:
    """Wait for the web server and its encoder (whose weights are unpacked the first time)."""
    deadline = time.monotonic() + READY_TIMEOUT
    with step("Worker, web server, language model") as bar:
        while True:
            site.check()
            try:
                urllib.request.urlopen(f"{site.url}/readyz", timeout=5).close()  # noqa: S310
                return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > deadline:
                    raise DemoError(
                        f"The web server is not ready after {READY_TIMEOUT:.0f} s. "
                        f"See {site.home / 'web.log'}."
                    ) from None
            bar.refresh()
            time.sleep(0.3)
