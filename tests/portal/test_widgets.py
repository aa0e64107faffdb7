"""The pages of the widgets' settings, by who may change them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from saas.chat import policy, widgets
from tenants import keys
from tenants.models import ApiKey
from tests.portal.conftest import member

GIVEN = {
    "title_en": "Tea help",
    "title_zh": "茶友客服",
    "greeting_en": "",
    "colour": "#00695c",
    "side": "left",
    "theme": "dark",
    "uploads": "on",
    "ask_email": "on",
    "prompts_en": "Where is my order?\nDo you ship?",
    "prompts_zh": "我的订单到哪了？",
    "rule_en": "May I help?",
    "rule_after": "3",
    "rule_path": "/tea",
    "messages_a_day": "500",
    "origins": "https://shop.example\nhttps://www.shop.example/",
    "hours": "mon 09:00-12:00\nmon 13:00-18:00",
    "timezone": "Asia/Shanghai",
}


@pytest.fixture
def admin(shop: Any) -> Any:
    return member(shop, "admin")


def made(admin: Any, shop: Any) -> str:
    """A new widget's page."""
    answer = admin.post(
        f"/t/{shop.slug}/widget/", {"name": "Shop", "origins": "https://shop.example"}
    )
    secret = re.search(r"fd_pk_[\w-]{20,}", answer.content.decode())
    assert secret
    found = keys.find(secret.group())
    assert found is not None
    return f"/t/{shop.slug}/widget/{found.key_id}/"


def test_a_widget_is_made_and_its_line_shown_once(admin, shop) -> None:
    page = made(admin, shop)
    listed = admin.get(f"/t/{shop.slug}/widget/").content.decode()
    assert page in listed
    assert not re.search(r"fd_pk_[\w-]{20,}", listed)


def test_what_is_saved_is_shown_again_and_counts(admin, shop) -> None:
    page = made(admin, shop)
    answer = admin.post(page, GIVEN)
    assert answer.status_code == 200
    assert "Saved." in answer.content.decode()
    with shop.scope():
        key = ApiKey.objects.get(kind="pk")
        look, hours = widgets.get(key.id), policy.get()
        assert key.origins == ["https://shop.example", "https://www.shop.example"]
    assert (look.title.zh, look.side, look.asks) == ("茶友客服", "left", ["email"])
    assert (look.prompts[0].en, look.prompts[0].zh) == ("Where is my order?", "我的订单到哪了？")
    assert (look.rules[0].after, look.rules[0].path, look.messages_a_day) == (3, "/tea", 500)
    assert (len(hours.hours["mon"]), hours.timezone) == (2, "Asia/Shanghai")
    shown = admin.get(page).content.decode()
    assert all(text in shown for text in ("茶友客服", "Mon 13:00-18:00", "/tea", "Do you ship?"))
    assert "unsafe-inline" not in admin.get(page).headers["Content-Security-Policy"]


def test_a_widgets_own_hours_are_its_own_until_it_has_the_businesss_again(admin, shop) -> None:
    page = made(admin, shop)
    admin.post(page, GIVEN)
    own = {
        "whose": "own",
        "own_hours": "Mon-fri 09:00–18:00\n周六 10:00-14:00",
        "own_timezone": "Europe/Madrid",
        "own_away_en": "Back on Monday.",
        "hours": "sun 01:00-02:00",  # hidden, and not what was chosen
    }
    assert admin.post(page, GIVEN | own).status_code == 200
    with shop.scope():
        key = ApiKey.objects.get(kind="pk")
        mine, general = policy.get(key.id), policy.get()
    assert (list(general.hours), general.timezone) == (["mon"], "Asia/Shanghai")
    assert set(mine.hours) == {"mon", "tue", "wed", "thu", "fri", "sat"}
    assert (mine.timezone, mine.away.en) == ("Europe/Madrid", "Back on Monday.")
    shown = admin.get(page).content.decode()
    assert "Sat 10:00-14:00" in shown
    assert 'value="own" checked' in shown

    admin.post(page, GIVEN | {"whose": "tenant", "away_zh": "周一再见。"})
    with shop.scope():
        assert policy.get(key.id) == policy.get()
        assert policy.get().away.zh == "周一再见。"


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "red"},
        {"side": "top"},
        {"messages_a_day": "many"},
        {"origins": "shop"},
        {"origins": ""},
        {"hours": "monday"},
        {"hours": "mon 18:00-09:00"},
        {"timezone": "Mars"},
        {"whose": "own", "own_hours": "sun-mon 09:00-18:00", "own_timezone": "UTC"},
        {"whose": "own", "own_hours": "", "own_timezone": ""},
        {"away_en": "x" * 301},
        {"prompts_en": "a\n" * 7},
        {"title_en": "x" * 301},
        {"rule_after": "-1"},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(wrong, admin, shop) -> None:
    page = made(admin, shop)
    answer = admin.post(page, GIVEN | wrong)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert 'class="wrong"' in text
    assert "茶友客服" in text  # what was written is still there
    with shop.scope():
        key = ApiKey.objects.get(kind="pk")
        assert widgets.get(key.id) == widgets.Look()
        assert (policy.get().hours, key.origins) == ({}, ["https://shop.example"])


def test_texts_are_no_markup(admin, shop) -> None:
    page = made(admin, shop)
    admin.post(page, GIVEN | {"title_en": '"><script>alert(1)</script>'})
    assert "<script>alert(1)" not in admin.get(page).content.decode()


def test_a_secret_is_made_and_shown_once(admin, shop) -> None:
    page = made(admin, shop)
    secret = re.search(
        r"whsec_\S{20,}(?=</code>)", admin.post(page, {"secret": "new"}).content.decode()
    )
    assert secret
    assert secret.group() not in admin.get(page).content.decode()
    with shop.scope():
        assert widgets.secret(ApiKey.objects.get(kind="pk").id) == secret.group()
