"""The inbox in a real browser: signing in with a second factor, and a hand-off as it happens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from allauth.mfa.totp.internal import auth as totp

from saas.chat import live
from tenants import members
from tenants.models import Member, User
from tests.conftest import Business
from tests.live import widget
from tests.live.conftest import call

pytestmark = pytest.mark.live
PASSWORD = "correct horse"
# Where pictures of the pages go, for people to look at; nowhere unless asked for.
PICTURES = os.environ.get("PORTAL_PICTURES")
SIZES = {"wide": {"width": 1280, "height": 850}, "narrow": {"width": 360, "height": 740}}


@pytest.fixture(autouse=True)
def _quick_passwords() -> None:
    """Not here: the server knows the product's own way to keep passwords, and no other."""


@pytest.fixture
def agent(business: Business) -> tuple[str, str]:
    """The address of an agent, and the secret of their second factor."""
    with business.scope():
        owner = Member.objects.select_related("user").get(role="owner")
        token = members.invite(by=owner, email="mei@desk.example", role="agent")
    user = User.objects.create_user("mei@desk.example", PASSWORD)
    members.accept(token=token, user=user, name="Mei")
    greeting = {"name": "hello", "language": "en", "text": "Hello, {{agent}} here."}
    assert business.call.post("inbox/canned", greeting).status_code == 200
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return user.email, secret


@pytest.fixture
def port(api: str) -> int:
    """Of the server that all share."""
    return urlsplit(api).port or 80


def code(secret: str) -> str:
    _, present, _ = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, present))


def sign_in(page: Any, port: int, email: str, secret: str = "") -> None:
    page.set_default_timeout(widget.PATIENCE)
    page.goto(f"http://127.0.0.1:{port}/account/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    if secret:
        page.fill("[name=code]", code(secret))
        page.locator("main form button").first.click()
    page.wait_for_url("**/t/*/")


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


def test_a_conversation_can_be_taken_the_moment_it_is_there(
    browser: Any, port: int, business: Business, agent: tuple[str, str]
) -> None:
    from playwright.sync_api import expect

    page = browser.new_context(locale="en-US", viewport=SIZES["wide"]).new_page()
    sign_in(page, port, *agent)
    page.click("nav >> text=Inbox")
    expect(page.locator("#live")).to_have_text("Live")
    said = {"text": "I want to talk to a human", "customer": "C8"}
    call(port, business.secret, "POST", "chat/messages", said)
    expect(page.locator("#list")).to_contain_text("C8")
    page.evaluate(
        """() => new MutationObserver((_, observer) => {
            const button = document.querySelector(".pane [data-key=t]");
            if (button) { observer.disconnect(); button.click(); }
        }).observe(document.querySelector("#pane"), {childList: true, subtree: true})"""
    )
    page.locator("#list").get_by_text("C8").click()
    expect(page.locator("#reply")).to_be_visible()


def test_a_hand_off_is_seen_taken_and_answered_as_it_happens(
    browser: Any, port: int, business: Business, agent: tuple[str, str]
) -> None:
    from playwright.sync_api import expect

    complaints: list[str] = []
    page = browser.new_context(locale="en-US", viewport=SIZES["wide"]).new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, port, *agent)
    page.click("nav >> text=Inbox")
    expect(page.locator("#live")).to_have_text("Live")

    def customer(text: str, conversation: str = "") -> Any:
        said = {"text": text, "customer": "C7"}
        said |= {"conversation_id": conversation} if conversation else {}
        return call(port, business.secret, "POST", "chat/messages", said)[1]

    talk = customer("I want to talk to a human")["conversation_id"]
    expect(page.locator("#list")).to_contain_text("C7")
    page.locator("body").press("j")
    expect(page.locator(".talk h2")).to_have_text("C7")
    page.locator(".talk h2").wait_for()
    page.keyboard.press("t")
    expect(page.locator("#reply")).to_be_visible()

    colleague = browser.new_context(locale="zh-CN", viewport=SIZES["wide"]).new_page()
    sign_in(colleague, port, business.owner)
    colleague.goto(page.url)
    expect(page.locator("#thread")).to_contain_text(business.owner)  # somebody else looks at it

    page.select_option("#canned", index=1)
    expect(page.locator("#reply")).to_have_value("Hello, Mei here.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread .agent")).to_contain_text("Hello, Mei here.")
    expect(colleague.locator("#thread .agent")).to_contain_text("Hello, Mei here.")

    customer("<b>Where</b> is my parcel?", talk)
    expect(page.locator("#thread .customer").last).to_contain_text("<b>Where</b> is my parcel?")
    for number in range(12):  # parts that are read at the same time hold none up
        customer(f"And {number}?", talk)
    expect(page.locator("#thread .customer").last).to_contain_text("And 11?")
    expect(page.locator("#thread .customer")).to_have_count(14)

    with business.scope():
        live.tell(UUID(talk), "typing", author="customer")
    expect(page.locator("#visitor")).to_have_text("The customer is typing …")
    page.fill("#reply", "One mom")
    page.fill("#note", "@Mei knows")
    page.locator("#note").press("Enter")
    expect(page.locator("#thread .noted")).to_contain_text("@Mei knows")
    expect(page.locator("#reply")).to_have_value("One mom")  # what was begun is kept

    page.locator(".talk h2").click()
    page.keyboard.press("b")
    expect(page.locator(".talk")).to_contain_text("This hand-off has ended")
    whole = call(port, business.secret, "GET", f"conversations/{talk}")[1]
    assert whole["state"] == "bot"
    assert [m["text"] for m in whole["messages"] if m["agent"]] == ["Hello, Mei here."]
    assert complaints == []


def test_the_inbox_is_for_everybody_and_fits_every_screen(
    browser: Any, port: int, business: Business
) -> None:
    call(port, business.secret, "POST", "chat/messages", {"text": "talk to a human"})
    page = browser.new_context(locale="en-US").new_page()
    sign_in(page, port, business.owner)
    base = page.url
    page.goto(f"{base}inbox/")
    page.click("#list a")
    page.wait_for_selector(".talk")
    page.keyboard.press("t")
    page.wait_for_selector("#reply")
    for language in ("en", "zh"):
        for theme in ("light", "dark"):
            for name, value in (("language", language), ("theme", theme)):
                page.context.add_cookies([{"name": name, "value": value, "url": base}])
            for path in (page.url, f"{base}inbox/?state=agent", f"{base}inbox/canned/"):
                page.goto(path)
                for name, size in SIZES.items():
                    page.set_viewport_size(size)
                    picture(page, language, theme, name, path.removeprefix(base))
                    assert violations(page) == [], path
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= size["width"], path
            page.goto(f"{base}inbox/")
            page.set_viewport_size(SIZES["wide"])
            page.click("#list a")
            page.wait_for_selector("#reply")


def picture(page: Any, *names: str) -> None:
    if PICTURES:
        name = "-".join(names).replace("/", "_").replace("?", "_")
        page.screenshot(path=Path(PICTURES) / f"inbox-{name}.png", full_page=True)
