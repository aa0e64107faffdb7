"""What the README shows is what a newcomer gets: `make demo`, its commands, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from saas import embedded
from tests.live.conftest import Process, eventually

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
NAME = "readme"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_every_setting_is_in_the_table() -> None:
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"(\w+)"', (ROOT / "saas/settings.py").read_text()))
    assert read == set(re.findall(r"`([A-Z][A-Z_]{3,})`", README.split("## Settings")[1]))


def test_every_folder_of_the_map_exists() -> None:
    for folder in re.findall(r"^\| `([\w/]+/)` \|", README, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", README)) <= targets


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """`make demo`, as the Makefile starts it, with data and servers of its own."""
    for home in (ROOT / "var" / NAME, embedded.writable_home(ROOT / "var" / NAME)):
        shutil.rmtree(home, ignore_errors=True)
    own = {
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "SERVICES_FILE",
        "ARTIFACTS",
        "DOCUMENTS",
    }
    kept = {name: os.environ.pop(name) for name in own if name in os.environ}
    try:
        log = tmp_path_factory.mktemp("demo") / "demo.log"
        folders = {n: str(tmp_path_factory.mktemp(n.lower())) for n in ("ARTIFACTS", "DOCUMENTS")}
        arguments = ("-m", "saas.demo", "--name", NAME, "--port", str(_free_port()))
        process = Process(log, *arguments, **folders)
    finally:
        os.environ.update(kept)
    yield process
    process.stop()


@pytest.mark.live
def test_the_demo_shows_everything(demo: Process) -> None:
    eventually(lambda: "Serving until Ctrl-C" in demo.log.read_text(), log=demo.log, process=demo)
    shown = demo.log.read_text(encoding="utf-8")
    for kind in (
        "action, intent order_status",
        "reply, intent return_item",
        "passage",
        "items, intent",
        "fallback",
    ):
        assert kind in shown
    assert "source electronics-guide" in shown
    assert "Recommended for somebody-new" in shown
    usage = re.search(r"Usage this month: (\d+) chat_message, (\d+) recommendation", shown)
    assert usage is not None
    assert usage.groups() == ("5", "2")
    bill = re.search(r"Bill so far: ([\d.]+) USD", shown)
    assert bill is not None
    assert bill.group(1) == "0.83"


@pytest.mark.live
@pytest.mark.parametrize("number", range(len(COMMANDS)))
def test_the_commands_work(demo: Process, number: int) -> None:
    site = re.search(r"The demo shop +(\S+?)/\n", demo.log.read_text(encoding="utf-8"))
    assert site, "the demo did not come up"
    script = COMMANDS[0] + COMMANDS[number] if number else COMMANDS[0]
    script = script.replace("http://127.0.0.1:8000", site.group(1)).replace(
        "var/demo/", f"var/{NAME}/"
    )
    script = script.replace("curl -sS", "curl -sS --fail-with-body -w '\\n'")
    script = script.replace(".venv/bin/python", sys.executable)
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "SERVICES_FILE": str(ROOT / f"var/{NAME}/services.env")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            assert json.loads(line).get("failed", 0) == 0, line


@pytest.mark.live
def test_the_demos_agent_signs_in(demo: Process) -> None:
    shown = demo.log.read_text(encoding="utf-8")
    told = re.search(r"For its agents +(http\S+)(/t/harbour/) +(\S+) +(\S+)\n", shown)
    assert told, "the demo names no agent"
    site, inbox, email, password = told.groups()
    browser = build_opener(HTTPCookieProcessor())
    form = browser.open(f"{site}/account/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token
    fields = {"login": email, "password": password, "csrfmiddlewaretoken": token.group(1)}
    assert browser.open(f"{site}/account/login/", urlencode(fields).encode()).url == site + inbox
    assert browser.open(f"{site}{inbox}inbox/").status == 200


@pytest.mark.live
def test_ctrl_c_stops_everything(demo: Process) -> None:
    address = re.search(r"127\.0\.0\.1:(\d+)/\n", demo.log.read_text(encoding="utf-8"))
    services = (ROOT / f"var/{NAME}/services.env").read_text()
    ports = [address.group(1)] if address else []
    ports += re.findall(r"127\.0\.0\.1:(\d+)", services)
    assert len(ports) == 3  # the web server, Redis and the order server: PostgreSQL has a socket

    demo.process.send_signal(signal.SIGINT)

    assert demo.process.wait(60) == 0
    assert not [port for port in ports if _is_open(int(port))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
