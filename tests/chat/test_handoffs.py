"""Hand-off: to a person when asked, unsure or by rule; the bot never answers over one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.chat.models import Conversation, HandOff
from tests.chat.test_knowledge import BATTERIES, write


def tell(business: Any, text: str, conversation: str | None = None, **more: Any) -> Any:
    on = {"conversation_id": conversation} if conversation else {}
    answer = business.call.post("chat/messages", {"text": text, **on, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def act(business: Any, hand_off: str, action: str, agent: str = "mei", **more: Any) -> Any:
    return business.call.post(f"inbox/{hand_off}/{action}", {"agent": agent, **more})


def waiting(business: Any) -> list[dict[str, Any]]:
    return business.call.get("inbox?state=waiting").json()["results"]


@pytest.mark.parametrize(
    "text",
    [
        "转人工",
        "我要人工客服",
        "Human please",
        "I want to talk to a real person",
        "找真人",
        "talk to a human",
    ],
)
def test_a_customer_who_asks_gets_a_person(shop, text: str) -> None:
    told = tell(shop, text)

    assert told["state"] == "waiting"
    assert told["answer"]["kind"] == "handoff"
    (entry,) = waiting(shop)
    assert entry["conversation_id"] == told["conversation_id"]
    assert entry["reason"] == "asked"
    assert entry["seconds_to_person"] is None


@pytest.mark.parametrize(
    "text",
    [
        "Is there a human size chart for this coat, and how does it compare with the old one?",
        "你们的人很好",
        "人工智能音箱怎么用",
        "Is the wig made of human hair?",
    ],
)
def test_who_only_speaks_of_people_stays_with_the_bot(shop, text: str) -> None:
    assert tell(shop, text)["state"] == "bot"


def test_the_bots_offer_can_be_accepted(shop) -> None:
    offered = tell(shop, "Who won the match?")
    assert offered["answer"]["kind"] == "fallback"

    assert tell(shop, "Yes, please!", offered["conversation_id"])["state"] == "waiting"
    assert tell(shop, "好的")["state"] == "bot"  # to an offer that was never made


def test_an_unsure_bot_hands_over_after_as_many_answers_as_the_policy_says(shop) -> None:
    set_ = shop.call("PUT", "inbox/policy", {"unsure_after": 2})
    assert set_.status_code == 200, set_.content
    first = tell(shop, "Who won the match?")
    second = tell(shop, "Is it going to rain?", first["conversation_id"])

    assert (first["state"], second["state"]) == ("bot", "waiting")
    assert waiting(shop)[0]["reason"] == "unsure"

    shop.call("PUT", "inbox/policy", {"unsure_after": 0})
    talk = None
    for text in ("Who won the match?", "Is it going to rain?", "What is the time?", "Sing a song"):
        told = tell(shop, text, talk)
        talk = told["conversation_id"]
    assert told["state"] == "bot"


def test_a_rule_hands_over_with_its_priority_and_the_most_urgent_is_first(shop) -> None:
    rules = [{"audience": "vip", "priority": 9}, {"audience": "guest", "priority": 1}]
    shop.call("PUT", "inbox/policy", {"rules": rules})
    tell(shop, "转人工")
    tell(shop, "Hello", audience="guest")
    tell(shop, "Hello", audience="VIP")

    found = [(entry["reason"], entry["priority"]) for entry in waiting(shop)]
    assert found == [("rule", 9), ("asked", 3), ("rule", 1)]


def test_a_rule_hands_over_who_is_upset(shop) -> None:
    shop.call("PUT", "inbox/policy", {"rules": [{"sentiment": "negative", "priority": 6}]})
    calm = [tell(shop, text) for text in ("Where is my parcel?", "我的快递到哪了？")]
    upset = [
        tell(shop, text)
        for text in (
            "I am sick of waiting, your service is awful!",
            "等了这么久没人管，你们太过分了！",
        )
    ]

    assert [told["state"] for told in calm + upset] == ["bot", "bot", "waiting", "waiting"]
    assert [entry["priority"] for entry in waiting(shop)] == [6, 6]
    whole = shop.call.get(f"conversations/{upset[0]['conversation_id']}").json()
    assert [message["sentiment"] for message in whole["messages"]] == ["negative", ""]


def test_the_bot_is_silent_from_the_request_until_it_is_handed_back(shop, worked_off) -> None:
    write(shop, worked_off, BATTERIES)
    talk = tell(shop, "转人工")["conversation_id"]
    billed = shop.call.get("usage").json()["totals"]

    while_waiting = tell(shop, BATTERIES["question"], talk)
    (entry,) = waiting(shop)
    taken = act(shop, entry["id"], "take").json()
    said = act(shop, entry["id"], "messages", text="Hello, Mei here.")
    while_answered = tell(shop, "Hello Mei", talk)

    assert (while_waiting["state"], while_waiting["answer"]) == ("waiting", None)
    assert (while_answered["state"], while_answered["answer"]) == ("agent", None)
    assert taken["seconds_to_person"] >= 0
    assert said.status_code == 201
    assert shop.call.get("usage").json()["totals"] == billed

    assert act(shop, entry["id"], "hand-back").json()["state"] == "bot"
    again = tell(shop, BATTERIES["question"], talk)
    assert (again["state"], again["answer"]["text"]) == ("bot", BATTERIES["answer"])
    authors = [m["author"] for m in shop.call.get(f"conversations/{talk}").json()["messages"]]
    assert authors == ["customer", "bot", "customer", "agent", "customer", "customer", "bot"]


def test_an_agent_sees_what_it_is_about_and_what_could_be_said(shop, worked_off) -> None:
    write(shop, worked_off, BATTERIES)
    talk = tell(shop, "Who won the match?")["conversation_id"]
    tell(shop, BATTERIES["question"], talk)
    note = {"note": "Called twice.", "priority": 7}
    assert shop.call.post(f"conversations/{talk}/hand-off", note).json()["state"] == "waiting"

    (entry,) = waiting(shop)
    whole = shop.call.get(f"inbox/{entry['id']}").json()

    assert (whole["note"], whole["priority"], whole["reason"]) == ("Called twice.", 7, "call")
    assert "Who won the match?" in whole["summary"]
    assert "1 of 2" in whole["summary"]
    assert len(whole["messages"]) == 4
    assert whole["suggestions"][0]["text"] == BATTERIES["answer"]


def test_one_agent_cannot_answer_for_another(shop) -> None:
    tell(shop, "转人工")
    (entry,) = waiting(shop)
    assert act(shop, entry["id"], "messages", text="Hi").json()["code"] == "not_yours"
    act(shop, entry["id"], "take")

    assert act(shop, entry["id"], "take").status_code == 200  # the same agent again
    for action in ("take", "release", "hand-back", "close"):
        assert act(shop, entry["id"], action, "lee").status_code == 409
    assert act(shop, entry["id"], "messages", "lee", text="Hi").status_code == 409

    act(shop, entry["id"], "release")
    assert act(shop, entry["id"], "take", "lee").json()["agent"] == "lee"
    act(shop, entry["id"], "close", "lee")
    assert act(shop, entry["id"], "take").json()["code"] == "ended"


def test_a_closed_conversation_opens_again_with_the_bot(shop) -> None:
    talk = tell(shop, "转人工")["conversation_id"]
    assert shop.call.post(f"conversations/{talk}/close").json()["state"] == "closed"

    assert waiting(shop) == []
    assert shop.call.post(f"conversations/{talk}/close").json()["code"] == "wrong_state"
    assert tell(shop, "Hello", talk)["state"] == "bot"


def test_the_customer_is_told_when_nobody_is_there(shop) -> None:
    now = timezone.now()
    tomorrow = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[
        (now + timedelta(days=1)).weekday()
    ]
    hours = {tomorrow: [{"start": "09:00", "end": "10:00"}]}
    assert shop.call("PUT", "inbox/policy", {"hours": hours}).status_code == 200

    assert "Nobody is here right now" in tell(shop, "human")["answer"]["text"]
    assert "不在服务时间" in tell(shop, "转人工")["answer"]["text"]
    assert len(waiting(shop)) == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"timezone": "Mars"}, "no time zone"),
        ({"hours": {"mon": [{"start": "18:00", "end": "09:00"}]}}, "end must be after start"),
        ({"hours": {"noday": []}}, "noday"),
        ({"rules": [{"priority": 3}]}, "name an intent, an audience or a sentiment"),
        ({"rules": [{"intent": "x", "priority": 10}]}, "priority"),
        ({"unsure_after": -1}, "unsure_after"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(shop, body, says) -> None:
    answer = shop.call("PUT", "inbox/policy", body)

    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert shop.call.get("inbox/policy").json()["unsure_after"] == 3


def test_the_queue_is_the_tenants_own(shop, bank) -> None:
    talk = tell(shop, "转人工")["conversation_id"]
    (entry,) = waiting(shop)

    assert waiting(bank) == []
    assert act(bank, entry["id"], "take").status_code == 404
    assert bank.call.post(f"conversations/{talk}/hand-off").status_code == 404
    with shop.scope():
        assert Conversation.objects.get(id=talk).state == "waiting"
        assert HandOff.objects.get().taken_at is None
