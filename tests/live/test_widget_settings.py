"""The widget's settings in a real browser: what is typed is shown at once, as visitors will see it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.live import widget
from tests.live.conftest import Process
from tests.live.test_widget import faults
from tests.portal.conftest import owner_of, signed_in

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    ("width", "language", "theme"), [(1280, "en", "light"), (360, "zh", "dark")]
)
def test_the_preview_follows_the_form(
    width: int,
    language: str,
    theme: str,
    browser: Any,
    server: tuple[str, Process],
    business: Any,
    tmp_path: Path,
) -> None:
    from playwright.sync_api import expect

    api = server[0]
    context = browser.new_context(viewport={"width": width, "height": 900})
    session = signed_in(owner_of(business).user).cookies["sessionid"].value
    cookies = {"sessionid": session, "language": language, "theme": theme}
    context.add_cookies([{"name": n, "value": v, "url": api} for n, v in cookies.items()])
    page = context.new_page()
    page.set_default_timeout(widget.PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{api}/t/{business.slug}/widget/")
    assert faults(page) == []
    page.locator("#name").fill("Shop")
    page.locator("#origins").fill("https://shop.example")
    page.locator("main button").click()
    expect(page.get_by_role("status")).to_contain_text(re.compile('data-key="fd_pk_'))
    assert faults(page) == []

    page.get_by_role("link", name="Shop", exact=True).click()
    page.locator("#title_en").fill("Tea help")
    page.locator("#title_zh").fill("茶友客服")
    page.locator("[name=ask_email]").check()
    preview = page.locator("#preview")
    expect(preview.get_by_role("heading")).to_have_text(
        "Tea help" if language == "en" else "茶友客服"
    )
    expect(preview.locator("input[type=email]")).to_be_visible()
    page.locator("[name=ask_email]").uncheck()
    expect(preview.locator("strong")).to_be_visible()
    page.locator("#theme").select_option("dark")
    expect(preview.locator(".panel.dark")).to_be_visible()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("[name=whose][value=own]").check()
    expect(page.locator("#own_hours")).to_be_visible()
    expect(page.locator("#hours")).to_be_hidden()
    page.locator("#own_hours").fill("Mon-Fri 09:00-18:00")
    page.locator("#look > button").click()
    expect(page.locator(".alert-success")).to_be_visible()
    expect(page.locator("#own_hours")).to_have_value(re.compile("09:00-18:00"))
    page.screenshot(path=tmp_path / f"settings-{language}-{width}.png", full_page=True)
    assert complaints == []
    context.close()
