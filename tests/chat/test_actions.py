"""Actions: what an endpoint needs is asked for, it is called, and whatever it does, the talk goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Checker

from saas.chat import breaker
from saas.connection import redis_client
from tests import web
from tests.chat.test_handoffs import tell
from tests.chat.test_replies import trained  # noqa: F401  (a fixture)

ORDER = {
    "name": "order",
    "kind": "order_number",
    "ask": {"en": "What is your order number?", "zh": "请问订单号是多少？"},
}
DAY = {
    "name": "day",
    "kind": "date",
    "when": "past",
    "ask": {"en": "When did you order?", "zh": "哪天下的单？"},
}
ANSWER = {"en": "Order {order} is {state}.", "zh": "订单 {order} {state}。"}
UNAVAILABLE = "I cannot look that up right now."


@pytest.fixture
def site(settings: Any) -> Iterator[web.Site]:
    with web.serve() as site:
        settings.OUTSIDE_ALLOWED = [site.address]
        says(site, {"state": "on its way"})
        yield site


def says(site: web.Site, told: Any) -> None:
    site.pages["/status"] = ("application/json", json.dumps(told).encode())


def put(business: Any, url: str, *slots: Any, **more: Any) -> Any:
    body = {"url": url, "slots": list(slots), "answer": ANSWER, **more}
    return business.call("PUT", "actions/order_status", body)


@pytest.fixture
def acting(trained, site) -> Any:  # noqa: F811
    made = put(trained, f"{site.url}/status", ORDER)
    assert made.status_code == 201, made.content
    return trained


def sent(site: web.Site) -> Any:
    return json.loads(site.posted[-1].body)


def test_what_a_message_says_is_not_asked_for(acting, site) -> None:
    told = tell(acting, "Where is my order 10023?", customer="mia")

    assert (told["answer"]["kind"], told["answer"]["text"]) == (
        "action",
        "Order 10023 is on its way.",
    )
    assert told["answer"]["intent"] == "order_status"
    body = sent(site)
    assert body["slots"] == {"order": "10023"}
    assert (body["intent"], body["customer"]) == ("order_status", "mia")
    assert body["conversation_id"] == told["conversation_id"]


def test_calls_are_signed_with_the_secret_that_was_shown_once(acting, site) -> None:
    secret = acting.call.post("actions/order_status/rotate").json()["secret"]
    tell(acting, "Where is my order 10023?")

    posted = site.posted[-1]
    assert Checker(secret).verify(posted.body, posted.headers)["slots"] == {"order": "10023"}
    again = put(acting, f"{site.url}/status", ORDER)
    assert (again.status_code, again.json()["secret"]) == (200, None)
    assert "secret" not in acting.call.get("actions/order_status").json()
    assert "secret" not in acting.call.get("actions").json()["results"][0]


def test_what_is_missing_is_asked_for_one_by_one(trained, site) -> None:  # noqa: F811
    put(trained, f"{site.url}/status", ORDER, DAY)
    asked = tell(trained, "我的快递到哪了")
    talk = asked["conversation_id"]
    assert (asked["answer"]["kind"], asked["answer"]["text"]) == ("ask", "请问订单号是多少？")

    wrong = tell(trained, "不记得了", talk)["answer"]
    assert wrong["kind"] == "ask"
    assert wrong["text"] == "没有找到符合格式的编号。请问订单号是多少？"
    assert tell(trained, "好像是AB-10023", talk)["answer"]["text"] == "哪天下的单？"
    late = tell(trained, "明天", talk)["answer"]["text"]
    assert late == "这个日期还没有到。哪天下的单？"
    told = tell(trained, "昨天", talk)["answer"]

    assert (told["kind"], told["text"]) == ("action", "订单 AB-10023 on its way。")
    assert set(sent(site)["slots"]) == {"order", "day"}
    assert len(site.posted) == 1


def test_after_three_tries_a_person_is_offered(acting, site) -> None:
    talk = tell(acting, "Where is my order?")["conversation_id"]
    for _ in range(2):
        assert tell(acting, "no idea", talk)["answer"]["kind"] == "ask"

    given_up = tell(acting, "really no idea", talk)
    assert given_up["answer"]["kind"] == "fallback"
    assert tell(acting, "yes please", talk)["state"] == "waiting"
    assert site.posted == []


@pytest.mark.parametrize("text", ["never mind", "算了"])
def test_the_customer_may_call_it_off(acting, site, text: str) -> None:
    talk = tell(acting, "Where is my order?")["conversation_id"]

    assert tell(acting, text, talk)["answer"]["kind"] == "talk"
    assert tell(acting, "10023", talk)["answer"]["kind"] != "action"
    assert site.posted == []


def test_the_customer_may_speak_of_something_else(acting, site) -> None:
    talk = tell(acting, "Where is my order?")["conversation_id"]

    answer = tell(acting, "I want my money back", talk)["answer"]

    assert (answer["kind"], answer["intent"]) == ("reply", "refund")
    assert site.posted == []


def test_what_is_not_found_is_asked_for_anew(acting, site) -> None:
    pages, site.pages = site.pages, {}
    told = tell(acting, "Where is my order 99999?")
    assert told["answer"]["kind"] == "ask"
    assert "99999" in told["answer"]["text"]
    site.pages = pages

    again = tell(acting, "oh, 10023", told["conversation_id"])["answer"]

    assert again["text"] == "Order 10023 is on its way."


@pytest.mark.parametrize(
    "told",
    [
        ["a list"],
        {"state": {"deep": 1}},
        {"state": None},
        {"other": "field"},
        {f"f{n}": 1 for n in range(60)} | {"state": "x"},
        {"state": "x" * 20_000},
    ],
)
def test_an_answer_of_another_form_is_none(acting, site, told: Any) -> None:
    says(site, told)

    answer = tell(acting, "Where is my order 10023?")["answer"]

    assert answer["kind"] == "fallback"
    assert answer["text"].startswith(UNAVAILABLE)


def test_an_answer_is_text_and_nothing_else(acting, site) -> None:
    says(site, {"state": "{order} {state} <b>\nx\x00y", "order": 7})

    answer = tell(acting, "Where is my order 10023?")["answer"]

    assert answer["text"] == "Order 7 is {order} {state} <b> x y."


def test_an_error_is_tried_again_once_with_the_same_id(acting, site) -> None:
    site.statuses = [503]
    assert tell(acting, "Where is my order 10023?")["answer"]["kind"] == "action"
    first, second = site.posted
    assert first.headers["webhook-id"] == second.headers["webhook-id"]

    site.statuses = [500, 502, 200]
    assert tell(acting, "Where is my order 10023?")["answer"]["kind"] == "fallback"
    assert len(site.posted) == 4


def test_a_slow_endpoint_is_not_waited_for_and_the_talk_goes_on(trained, site) -> None:  # noqa: F811
    put(trained, f"{site.url}/slow", ORDER, timeout=0.2)

    told = tell(trained, "Where is my order 10023?")
    assert told["answer"]["text"].startswith(UNAVAILABLE)
    assert len(site.posted) == 1
    assert tell(trained, "yes", told["conversation_id"])["state"] == "waiting"


def test_an_endpoint_that_fails_is_left_alone_then_tried_once(acting, site, monkeypatch) -> None:
    monkeypatch.setattr(breaker, "REST", 1)
    site.statuses = [500] * 2 * breaker.FAILURES
    for _ in range(breaker.FAILURES + 2):
        assert tell(acting, "Where is my order 10023?")["answer"]["kind"] == "fallback"
    assert len(site.posted) == 2 * breaker.FAILURES

    half = breaker.Breaker(f"{acting.id} {site.url}/status")
    redis_client().delete(half._open)  # as after REST seconds
    assert half.lets_through()
    assert not half.lets_through()
    half.note(failed=True)
    assert not half.lets_through()
    half.note(failed=False)
    assert tell(acting, "Where is my order 10023?")["answer"]["kind"] == "action"


def test_what_no_call_may_go_to_is_refused(shop, settings) -> None:
    for url in ("http://shop.example/x", "https://127.0.0.1/x", "https://10.0.0.1/x"):
        refused = put(shop, url)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["field"] == "url"


@pytest.mark.parametrize(
    ("slot", "field"),
    [
        ({"pattern": "(unclosed"}, "slots.0"),
        ({"pattern": "(?=ahead)x"}, "slots.0"),
        ({"kind": "choice", "choices": ["one"]}, "slots.0"),
        ({"kind": "amount", "min": 5, "max": 1}, "slots.0"),
        ({"ask": {}}, "slots.0.ask"),
        ({"name": "Order No"}, "slots.0.name"),
    ],
)
def test_a_slot_that_cannot_be_is_refused(shop, slot: Any, field: str) -> None:
    refused = put(shop, "https://shop.example/x", ORDER | slot)

    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == [field]


def test_another_number_is_looked_up_after_the_first(acting, site) -> None:
    talk = tell(acting, "Where is my order 10023?")["conversation_id"]

    told = tell(acting, "and 10024?", talk)["answer"]

    assert (told["text"], told["understood"]) == (
        "Order 10024 is on its way.",
        "Where is my order 10024?",
    )


def test_without_its_action_an_intent_has_its_reply_again(acting) -> None:
    assert acting.call.delete("actions/order_status").status_code == 204

    assert tell(acting, "Where is my order 10023?")["answer"]["kind"] == "reply"
    assert acting.call.get("actions/order_status").status_code == 404
