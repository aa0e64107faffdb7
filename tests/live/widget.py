"""A real browser on a customer's page, which is on another origin and has a strict CSP."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import web

if TYPE_CHECKING:
    from tests.conftest import Business
    from tests.live.conftest import Process

PATIENCE = 60_000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chromium() -> str:
    """The installed browser; a build server must have it, elsewhere the test is left out."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    missing = "Chromium is missing: apt-get install chromium fonts-noto-cjk"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def serve(port: int, log: Path) -> Process:
    """The product in one ASGI process, ready."""
    from tests.live.conftest import Process, eventually, status

    arguments = ("--interface", "asginl", "--port", str(port), "--no-ws", "saas.asgi:application")
    process = Process(log, "-m", "granian", *arguments)
    eventually(lambda: status(port, "/readyz") == 200, log=log, process=process)
    return process


def html(api: str, *scripts: str, language: str = "en", head: str = "") -> tuple[str, bytes]:
    """A customer's page with widgets; `scripts` are the attributes of each."""
    policy = (
        f"default-src 'self'; script-src 'self' {api}; connect-src 'self' {api}; "
        f"img-src 'self' {api}; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'"
    )
    tags = "".join(
        f'<script async src="{api}/static/widget/widget.js" {given}></script>' for given in scripts
    )
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">{head}'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>Tea</title></head><body><main><h1>Tea</h1><p>All about tea.</p></main>{tags}</body></html>"
    )
    return "text/html; charset=utf-8", page.encode()


def key_for(business: Business, *origins: str) -> str:
    from tenants import keys  # once Django is set up: benchmarks use this module, too

    with business.scope():
        _, secret = keys.issue(name="page", kind="pk", origins=origins, actor=business.owner)
    return secret


@contextmanager
def browsing() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@contextmanager
def customer_site() -> Iterator[web.Site]:
    with web.serve() as site:
        yield site
