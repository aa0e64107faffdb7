"""The page at `/`, through HTTP and without JavaScript unless X-Parts says so."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from saas import engine
from saas.billing import plans, quota
from saas.billing.models import Quota, UsageRecord
from saas.chat.models import Conversation, Message
from saas.demo import visitors, words
from saas.errors import Unavailable
from saas.recommend.models import Event
from tenants import members
from tests.conftest import Business, found

HERE = {"Origin": "http://testserver"}
PARTS = HERE | {"X-Parts": "1"}
LANGUAGES = ("en", "zh")
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ITEMS = [
    {
        "id": f"TEA-{number}",
        "title": f"Tea {number}",
        "description": f"It tastes of {number}.",
        "price": "24.5",
        "currency": "USD",
        "category": "tea",
        "translations": {"zh": {"title": f"茶{number}号", "description": "回甘。"}},
    }
    for number in range(1, 13)
]


@pytest.fixture
def harbour(db: None) -> Business:
    business = found("harbour")
    assert business.call.post("items", ITEMS).json()["created"] == len(ITEMS)
    return business


def get(client: Client, **fields: str) -> Any:
    return client.get("/", fields)


def post(client: Client, headers: dict[str, str] = HERE, **fields: str) -> Any:
    return client.post("/", fields, headers=headers)


def text(response: Any) -> str:
    return response.content.decode()


def field(response: Any, name: str) -> str:
    return re.search(f'name="{name}" value="([^"]*)"', text(response)).group(1)


def cards(response: Any) -> list[str]:
    return re.findall(r'<button name="item" value="([^"]*)"', text(response))


def used(business: Business, kind: str) -> int:
    with business.scope():
        assert not UsageRecord.objects.exclude(api_key=None).exists()
        assert not Quota.objects.exclude(reserved=0).exists()
        return UsageRecord.objects.filter(kind=kind).count()


def exhaust(business: Business, kind: str) -> None:
    period = quota.period_of(timezone.now().date())
    with business.scope():
        Quota.objects.update_or_create(kind=kind, period=period, defaults={"limit": 0})


class Inline(HTMLParser):
    """What a strict content security policy would not let run, and what leads to other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(tag)
        self.found += [name for name in given if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action"):
            if not (given.get(name) or "/").startswith(("/", "#")):
                self.found.append(str(given[name]))


def inline(response: Any) -> list[str]:
    parser = Inline()
    parser.feed(text(response))
    return parser.found


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_the_demo_shop_it_says_what_to_run(db, client, language) -> None:
    response = get(client, lang=language)

    assert response.status_code == 200
    assert "make demo" in text(response)
    assert words.TEXT[language]["notices"]["no_shop"]["title"] in text(response)
    assert not inline(response)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_in_the_language_asked_for(harbour, client, language) -> None:
    response = get(client, lang=language)

    assert response.status_code == 200
    for word in ("chat", "shelf", "usage", "send", "greeting"):
        assert words.TEXT[language][word] in text(response)
    other = words.TEXT["zh" if language == "en" else "en"]
    assert other["greeting"] not in text(response)
    assert bool(re.search("茶[0-9]+号", text(response))) == (language == "zh")
    assert ("新品" in text(response)) == (language == "zh")
    assert "$24.50" in text(response)
    assert len(cards(response)) == 8


def test_the_browser_chooses_the_language_until_somebody_does(harbour, client) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}

    assert '<html lang="zh-Hans">' in text(client.get("/", headers=chinese))
    assert '<html lang="en">' in text(client.get("/", {"lang": "en"}, headers=chinese))
    assert '<html lang="en">' in text(client.get("/"))


def test_nothing_inline_nothing_from_elsewhere_and_not_kept(harbour, client) -> None:
    response = get(client)

    assert not inline(response)
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


def test_a_question_is_answered_stored_and_metered(harbour, client) -> None:
    first = get(client)
    state = {"visitor": field(first, "visitor"), "lang": "en"}

    response = post(client, text="Who won the football match?", **state)
    page = client.get(response["Location"])

    assert response.status_code == 302
    assert "Who won the football match?" in text(page)
    assert "A colleague can help" in text(page)
    assert words.TEXT["en"]["kinds"]["fallback"] in text(page)
    assert used(harbour, "chat_message") == 1
    assert used(harbour, "recommendation") == 2  # both pages showed a shelf
    with harbour.scope():
        assert Conversation.objects.get().customer == state["visitor"]
        assert Quota.objects.get(kind="chat_message").used == 1


def test_the_answer_shows_its_source(harbour, client, worked_off) -> None:
    pair = {"question": "能寄电池吗？", "answer": "可以，走陆运。", "source": "物流指南"}
    with worked_off():
        harbour.call.post("knowledge", [pair])

    response = post(client, PARTS, text="电池可以邮寄吗", lang="en")

    assert "可以，走陆运。" in text(response)  # the answer is in the language of the question
    assert words.TEXT["en"]["kinds"]["passage"] in text(response)
    assert "物流指南" in text(response)
    assert "能寄电池吗？" in text(response)


@pytest.mark.parametrize(
    ("kind", "said"), [("action", "intent"), ("fallback", "nearest intent"), ("items", "")]
)
def test_the_intent_stands_with_answers_that_rest_on_it(harbour, client, kind, said) -> None:
    own = {"lang": "en", "visitor": "visitor-" + "a" * 16}
    own["conversation"] = field(post(client, PARTS, text="Where is it?", **own), "conversation")
    with harbour.scope():
        Message.objects.filter(author="bot").update(
            kind=kind, intent="order_status", confidence=0.8
        )

    shown = text(get(client, **own))

    assert words.TEXT["en"]["kinds"][kind] in shown
    assert (f"<span>{said} <code>order_status</code>" in shown) == bool(said)
    assert ("order_status" in shown) == bool(said)


def test_with_javascript_only_what_changed_comes_back(harbour, client) -> None:
    response = post(client, PARTS, text="Hello", lang="en")

    assert response.status_code == 200
    assert "<html" not in text(response)
    assert 'data-for="log"' in text(response)
    assert 'data-for="counter"' in text(response)
    assert 'data-for="shelf"' not in text(response)
    assert used(harbour, "recommendation") == 0


def test_a_conversation_goes_on_and_stays_the_visitors_own(harbour, client) -> None:
    first = post(client, PARTS, text="My own question", visitor="visitor-" + "a" * 16)
    own = {"visitor": "visitor-" + "a" * 16, "conversation": field(first, "conversation")}
    others = own | {"visitor": "visitor-" + "b" * 16}

    post(client, PARTS, text="And another one", **own)
    post(client, PARTS, text="Somebody else's", **others)

    assert "My own question" in text(get(client, **own))
    assert "And another one" in text(get(client, **own))
    assert "My own question" not in text(get(client, **others))
    with harbour.scope():
        assert Message.objects.filter(conversation_id=own["conversation"]).count() == 4
        assert Conversation.objects.count() == 2


def test_a_click_changes_the_history_and_the_shelf(harbour, client) -> None:
    page = get(client)
    visitor, item = field(page, "visitor"), cards(page)[2]

    response = post(client, item=item, visitor=visitor, lang="zh")
    after = client.get(response["Location"])

    with harbour.scope():
        event = Event.objects.get()
    assert (event.customer, event.item, event.kind) == (visitor, item, "view")
    assert item not in cards(after)
    assert len(cards(after)) == 8
    assert "回甘。" in text(after)
    assert used(harbour, "recommendation") == 2


def test_what_the_customer_has_seen_makes_room(harbour, client) -> None:
    state = {"visitor": "visitor-" + "c" * 16, "lang": "en"}
    for item in ("TEA-5", "TEA-6", "TEA-7"):
        response = post(client, PARTS, item=item, **state)

    assert not {"TEA-5", "TEA-6", "TEA-7"} & set(cards(response))
    assert "Tea 6 · Tea 5" in text(response)


def test_a_click_with_javascript_brings_one_metered_shelf(harbour, client) -> None:
    response = post(client, PARTS, item="TEA-3", persona="C0007", lang="en")

    assert response.status_code == 200
    assert 'data-for="shelf"' in text(response)
    assert "It tastes of 3." in text(response)
    assert used(harbour, "recommendation") == 1
    with harbour.scope():
        assert Event.objects.get().customer == "C0007"


def test_looking_at_the_page_again_clicks_nothing(harbour, client) -> None:
    get(client, item="TEA-3")
    client.head("/")

    assert used(harbour, "recommendation") == 1  # HEAD serves nothing
    with harbour.scope():
        assert not Event.objects.exists()


def test_the_counter_tells_the_bill(harbour, client) -> None:
    with harbour.scope():
        plans.subscribe("payg", actor="test")
    for _ in range(5):
        response = post(client, PARTS, text="Hello", lang="en")

    figures = re.findall(r"<dd><b>([^<]*)</b>", text(response))
    assert figures == ["5", "0", "0", "$0.03"]


@pytest.mark.parametrize("fields", [{"text": "Hello"}, {"item": "TEA-1"}], ids=["ask", "look"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "http://testserver.elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_another_site_changes_nothing(harbour, client, headers, fields) -> None:
    response = post(client, headers, lang="zh", **fields)

    assert response.status_code == 403
    assert words.TEXT["zh"]["notices"]["other_site"]["title"] in text(response)
    with harbour.scope():
        assert not UsageRecord.objects.exists()
        assert not Event.objects.exists()
        assert not Message.objects.exists()


def test_the_browsers_own_word_is_enough(harbour, client) -> None:
    assert post(client, {"Sec-Fetch-Site": "same-origin"}, text="Hello").status_code == 302


@pytest.mark.parametrize("headers", [HERE, PARTS], ids=["page", "parts"])
def test_what_is_typed_is_shown_as_text(harbour, client, headers) -> None:
    response = client.post("/", {"text": ATTACK}, headers=headers, follow=True)

    assert "&lt;script&gt;alert(1)" in text(response)
    assert "<script>alert" not in text(response)
    assert not inline(response)


def test_what_the_shop_wrote_is_shown_as_text(harbour, client) -> None:
    harbour.call.post("items", [{"id": '"><script>', "title": ATTACK, "category": ATTACK}])

    response = get(client, item='"><script>')

    assert "&lt;script&gt;alert(1)" in text(response)
    assert not inline(response)


BAD = {
    "empty": {"text": "  "},
    "too_long": {"text": "长" * 2_001},
    "unreadable": {"text": "null\x00null"},
    "no_item": {"item": "NOT-THERE"},
}


@pytest.mark.parametrize("headers", [HERE, PARTS], ids=["page", "parts"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", BAD)
def test_bad_input_gets_a_friendly_word(harbour, client, code, language, headers) -> None:
    response = post(client, headers, lang=language, **BAD[code])

    assert response.status_code == 400
    assert words.TEXT[language]["problems"][code] in text(response)
    assert used(harbour, "chat_message") == 0
    with harbour.scope():
        assert not Event.objects.exists()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_used_up_quota_is_told(harbour, client, language) -> None:
    exhaust(harbour, "chat_message")
    exhaust(harbour, "recommendation")
    told = words.TEXT[language]["problems"]["quota_exceeded"]

    asked = post(client, PARTS, text="Hello", lang=language)
    page = get(client, lang=language)

    assert asked.status_code == 402
    assert told in text(asked)
    assert page.status_code == 200
    assert told in text(page)
    assert used(harbour, "chat_message") == used(harbour, "recommendation") == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_busy_engine_is_told_and_not_billed(harbour, client, monkeypatch, language) -> None:
    def busy(*_: Any) -> None:
        raise Unavailable("full", code="busy", wait=1)

    monkeypatch.setattr(engine, "encode", busy)
    response = post(client, lang=language, text="Hello")

    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert words.TEXT[language]["problems"]["busy"] in text(response)
    assert 'value="Hello"' in text(response)  # need not be typed again
    assert used(harbour, "chat_message") == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_silent_database_is_told(db, client, monkeypatch, language) -> None:
    def silent(slug: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(members, "find_tenant_id", silent)
    response = get(client, lang=language)

    assert response.status_code == 503
    assert words.TEXT[language]["notices"]["unavailable"]["title"] in text(response)
    assert "refused" not in text(response)


def test_a_made_up_state_is_replaced(harbour, client) -> None:
    made_up = {"persona": "C0001", "visitor": "C0001", "conversation": "x", "item": "a\x00b"}

    page = get(client, lang="zh'\"><", **made_up)
    clicked = post(client, PARTS, **made_up | {"item": "TEA-1"})

    assert page.status_code == clicked.status_code == 200
    assert visitors.VISITOR.fullmatch(field(page, "visitor"))
    with harbour.scope():
        assert visitors.VISITOR.fullmatch(Event.objects.get().customer)


def test_both_languages_have_the_same_words() -> None:
    def shape(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: shape(value) for key, value in part.items()}
        return len(part) if isinstance(part, list) else type(part)

    assert shape(words.TEXT["en"]) == shape(words.TEXT["zh"])
    assert len(words.PEOPLE["en"]) == len(words.PEOPLE["zh"]) == len(visitors.PERSONAS)
