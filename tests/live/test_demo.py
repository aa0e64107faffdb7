"""The demo's page in a real browser, on a real web server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import found
from tests.demo.test_page import ITEMS

pytestmark = pytest.mark.live
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
# The first question waits for the search index; two cores may be busy with other things.
PATIENCE = 60_000


@pytest.fixture
def site(committed: None, api: str) -> str:
    harbour = found("harbour")
    assert harbour.call.post("items", ITEMS).status_code == 200
    return f"{api}/"


def test_asking_and_clicking_change_the_page_in_place(browser, site) -> None:
    from playwright.sync_api import expect

    for size in SIZES.values():
        complaints: list[str] = []
        page = browser.new_page(viewport=size)
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.on("console", lambda message, kept=complaints: kept.append(message.text))
        page.on("pageerror", lambda error, kept=complaints: kept.append(str(error)))
        page.goto(f"{site}?lang=en")
        before = figures(page)

        page.get_by_label("Your question").fill("Who won the football match?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("log")).to_contain_text("A colleague can help")
        expect(page.get_by_label("Your question")).to_have_value("")
        assert figures(page)["Chat messages"] == before["Chat messages"] + 1

        card = page.locator(".cards button").nth(1)
        title = card.locator("b").inner_text()
        card.click()
        expect(page.locator("#looked h2")).to_have_text(title)
        expect(page.locator("#looked")).to_be_focused()
        expect(page.locator(".cards b").get_by_text(title, exact=True)).to_have_count(0)
        assert figures(page)["Recommendations"] == before["Recommendations"] + 1

        page.get_by_role("button", name="中文").click()
        expect(page.get_by_role("heading", name="为您推荐")).to_be_visible()
        expect(page.get_by_role("log")).to_contain_text("A colleague can help")
        expect(page.locator("#looked h2")).to_contain_text("茶")
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert complaints == []
        page.close()


def test_it_works_without_javascript(browser, site) -> None:
    from playwright.sync_api import expect

    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{site}?lang=en")

    page.locator(".suggestions button").first.click()
    expect(page.get_by_role("log")).to_contain_text("A colleague can help", timeout=PATIENCE)
    title = page.locator(".cards b").first.inner_text()
    page.locator(".cards button").first.click()

    expect(page.locator("#looked h2")).to_have_text(title, timeout=PATIENCE)
    expect(page.get_by_role("log")).to_contain_text("A colleague can help")


def figures(page: Any) -> dict[str, int]:
    names = page.locator("#counter dt").all_inner_texts()
    units = page.locator("#counter b").all_inner_texts()
    return {name: int(unit) for name, unit in zip(names[:-1], units[:-1], strict=True)}
