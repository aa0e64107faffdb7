"""The portal in a real browser: signing in with a second factor, and pages that everybody can use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.db import connections

from tenants import members
from tenants.models import Member, User
from tests.conftest import Business
from tests.live import widget
from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.live
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
# Where pictures of every page go, for people to look at; nowhere unless asked for.
PICTURES = os.environ.get("PORTAL_PICTURES")
OPEN = ("/account/login/", "/account/password/reset/", "/account/signup/", "/t/no-such-business/")
ENTERED = (
    "/account/2fa/",
    "/account/2fa/totp/activate/",
    "/account/password/change/",
    "/t/{slug}/",
    "/t/{slug}/inbox/canned/",
    "/t/{slug}/widget/",
    "/t/{slug}/name/",
    "/t/{slug}/members/",
    "/t/{slug}/metrics/",
    "/t/{slug}/metrics/?first=2026-02-02&last=2026-02-01",
)


@pytest.fixture(autouse=True)
def _quick_passwords() -> None:
    """Not here: the server knows the product's own way to keep passwords, and no other."""


class Person:
    """Somebody with the portal in one window; what the browser complains of is kept."""

    def __init__(self, browser: Any, api: str, **context: Any) -> None:
        self.context = browser.new_context(base_url=api, locale="en-GB", **context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(widget.PATIENCE)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, said: Any) -> None:
        # A page of a wrong address or of wrong days is answered 4xx, which the browser tells, too.
        if said.type == "error" and "status of 4" not in said.text:
            self.complaints.append(said.text)

    def enter(self, business: Business) -> None:
        self.page.goto("/account/login/")
        self.page.get_by_label("Email").fill(business.owner)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()

    def give_code(self, code: str) -> None:
        main = self.page.get_by_role("main")
        main.locator("input[name=code]").fill(code)
        main.locator("form button").first.click()


def code_of(secret: str, *, ahead: int = 0) -> str:
    """What an authenticator shows, or will half a minute later, which is accepted as well."""
    _, present, _ = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, present + ahead))


def faults(page: Any) -> list[str]:
    """What axe finds."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {node['html']}" for fault in found for node in fault["nodes"]]


def too_wide(page: Any) -> bool:
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )


def picture(page: Any, *names: str) -> None:
    if PICTURES:
        name = "-".join(names).replace("/", "_").replace("?", "_")
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def test_somebody_sets_a_second_factor_and_signs_in_with_it(browser, api, business) -> None:
    person = Person(browser, api)
    person.enter(business)
    person.page.wait_for_url(f"**/t/{business.slug}/")
    person.page.goto("/account/2fa/totp/activate/")
    person.page.get_by_label("Password").fill(PASSWORD)  # once more, for what is this weighty
    person.page.get_by_role("button", name="Confirm").click()
    picture(person.page, "activate")
    assert faults(person.page) == []
    secret = person.page.get_by_label("Authenticator secret").input_value()
    person.give_code(code_of(secret))
    person.page.wait_for_url("**/account/2fa/recovery-codes/**")
    picture(person.page, "recovery")
    assert faults(person.page) == []
    codes = person.page.get_by_label("Unused codes").input_value().split()

    for code in (code_of(secret, ahead=1), codes[0]):  # the present one has been used
        again = Person(browser, api)
        again.enter(business)
        again.page.wait_for_url("**/account/2fa/authenticate/**")
        picture(again.page, "second-factor")
        assert faults(again.page) == []
        again.page.goto(f"/t/{business.slug}/")
        assert "/account/2fa/authenticate/" in again.page.url  # there is no way past it
        again.give_code(code)
        again.page.wait_for_url(f"**/t/{business.slug}/")
        assert again.complaints == []
    assert person.complaints == []


@pytest.mark.parametrize(
    ("language", "theme", "size"), [("en", "light", "phone"), ("zh", "dark", "desktop")]
)
def test_everybody_can_use_every_page(
    browser, api, business, subtests, language: str, theme: str, size: str
) -> None:
    person = Person(browser, api, viewport=SIZES[size])
    person.enter(business)
    person.page.wait_for_url(f"**/t/{business.slug}/")
    chosen = {"language": language, "theme": theme}
    looks = [{"name": name, "value": value, "url": api} for name, value in chosen.items()]
    stranger = Person(browser, api, viewport=SIZES[size])
    for who, paths in ((stranger, OPEN), (person, ENTERED)):
        who.context.add_cookies(looks)
        for path in paths:
            who.page.goto(path.format(slug=business.slug))
            picture(who.page, path, language, theme, size)
            with subtests.test(path):
                assert faults(who.page) == []
                assert not too_wide(who.page)
    invite_and_remove(person, business, language, theme, size)
    for who in (person, stranger):
        assert who.complaints == []


def invite_and_remove(person: Person, business: Business, *names: str) -> None:
    """What changes on the page of members is told, and the page stays usable."""
    from playwright.sync_api import expect

    page, path = person.page, f"/t/{business.slug}/members/"
    with business.scope():
        owner = Member.objects.select_related("user").get()
        token = members.invite(by=owner, email="mei.lin.of.the.evening@desk.example", role="agent")
    user = User.objects.create_user("mei.lin.of.the.evening@desk.example", PASSWORD)
    members.accept(token=token, user=user, name="梅 Mei")
    connections.close_all()
    page.goto(path)
    page.locator("#email").fill("li@desk.example")
    page.locator(".inviting button").click()
    expect(page.locator("#alerts code")).to_contain_text("/account/invitation/")  # no e-mail here
    expect(page.locator("#team")).to_contain_text("li@desk.example")
    picture(page, "members-invited", *names)
    assert faults(page) == []
    assert not too_wide(page)
    page.goto(page.locator("#alerts code").inner_text())
    picture(page, "invitation", *names)
    assert faults(page) == []
    page.goto(path)
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("[hx-confirm*='mei.lin'] button").click()
    expect(page.locator("#team")).not_to_contain_text("mei.lin")
    expect(page.locator("#alerts")).to_contain_text("mei.lin")
    assert page.url.endswith(path)
