"""Conversation: what goes on with the question before it, what is unclear, and what is no question."""

from __future__ import annotations

from typing import Any

import pytest

from saas.chat import clarifying, followups
from tests.chat.followups import ALONE, PAIRS
from tests.chat.test_handoffs import tell
from tests.chat.test_knowledge import write
from tests.chat.test_replies import trained  # noqa: F401  (a fixture)


def test_what_goes_on_with_a_question_is_read_with_it(subtests) -> None:
    for question, text, _, word in PAIRS:
        with subtests.test(text):
            itself, *others = followups.readings(text, question)
            assert itself == text
            assert any(word in other for other in others)


def test_what_stands_alone_is_read_as_it_is(subtests) -> None:
    for question, text in ALONE:
        with subtests.test(text):
            assert followups.readings(text, question) == [text]
    assert followups.readings("and the blue one?", "") == ["and the blue one?"]


@pytest.mark.parametrize(
    ("question", "more", "understood", "answer"),
    [
        ("Do you ship to Canada?", "and to Japan?", "Do you ship to Japan?", "Japan: nine days."),
        ("能寄到加拿大吗", "那日本呢？", "能寄到日本吗", "日本九天送达。"),
    ],
)
def test_a_follow_up_is_answered_by_what_it_means(
    shop, worked_off, question: str, more: str, understood: str, answer: str
) -> None:
    write(
        shop,
        worked_off,
        {"question": "Do you ship to Canada?", "answer": "Canada: four days."},
        {"question": "Do you ship to Japan?", "answer": "Japan: nine days."},
        {"question": "能寄到加拿大吗", "answer": "加拿大四天送达。"},
        {"question": "能寄到日本吗", "answer": "日本九天送达。"},
    )
    first = tell(shop, question)

    told = tell(shop, more, first["conversation_id"])

    assert told["answer"]["text"] == answer
    assert told["answer"]["understood"] == understood
    assert first["answer"]["understood"] == ""
    messages = shop.call.get(f"conversations/{first['conversation_id']}").json()["messages"]
    assert [m["understood"] for m in messages] == ["", "", "", understood]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Hello!", "Hello! How can I help you?"),
        ("您好", "您好！请问有什么可以帮您？"),
        ("thank you so much", "You are welcome."),
        ("好的，谢谢啦", "不客气，很高兴能帮到您。"),
        ("Bye!", "Goodbye, and take care!"),
        ("再见", "再见，祝您愉快！"),
        ("are you a real person?", "I am an automated assistant, a bot and no person."),
        ("Are you a robot?", "I am an automated assistant, a bot and no person."),
        ("你是真人吗？", "我是智能客服，是机器人，不是真人。"),
        ("do you speak Chinese?", "I understand English and Chinese"),
        ("你会说英文吗", "我会中文和英文"),
    ],
)
def test_small_talk_is_answered(shop, text: str, says: str) -> None:
    answer = tell(shop, text)["answer"]

    assert answer["kind"] == "talk"
    assert answer["text"].startswith(says)


@pytest.mark.parametrize(
    "text", ["hello is my parcel lost", "谢谢但是没有用", "goodbye to my money"]
)
def test_what_holds_a_question_is_no_small_talk(shop, text: str) -> None:
    assert tell(shop, text)["answer"]["kind"] == "fallback"


def test_a_tenants_own_words_are_said(shop) -> None:
    shop.call.post("replies", [{"intent": "greeting", "language": "en", "text": "Ahoy!"}])

    assert tell(shop, "hi there")["answer"]["text"] == "Ahoy!"
    assert tell(shop, "你好")["answer"]["text"] == "您好！请问有什么可以帮您？"


def test_hours_are_told_where_they_are_known(shop) -> None:
    assert tell(shop, "What are your opening hours?")["answer"]["kind"] == "fallback"
    day = [{"start": "09:00", "end": "18:00"}]
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), day)
    hours["sun"] = [{"start": "10:00", "end": "12:30"}]
    shop.call("PUT", "inbox/policy", {"hours": hours, "timezone": "Asia/Shanghai"})

    english, chinese = tell(shop, "When are you open?"), tell(shop, "客服几点上班？")

    assert english["answer"]["kind"] == chinese["answer"]["kind"] == "talk"
    assert "(Asia/Shanghai): Mon–Fri 09:00–18:00; Sun 10:00–12:30." in english["answer"]["text"]
    assert "周一–周五 09:00–18:00；周日 10:00–12:30" in chinese["answer"]["text"]


@pytest.mark.parametrize("pick", ["the second one", "2", "b", "Money back", "money"])
def test_of_two_close_intents_the_customer_picks(trained, monkeypatch, pick: str) -> None:  # noqa: F811
    titled(trained)
    monkeypatch.setattr(clarifying, "MARGIN", 1.0)  # all that the model finds likely are close
    asked = tell(trained, "Where is my order?")
    answer = asked["answer"]
    assert answer["kind"] == "clarify"
    assert answer["text"] == "Do you mean “order status” or “Money back”?"
    assert answer["options"] == [
        {"intent": "order_status", "text": "order status"},
        {"intent": "refund", "text": "Money back"},
    ]

    told = tell(trained, pick, asked["conversation_id"])["answer"]

    assert (told["kind"], told["text"]) == ("reply", "Refunds take five days.")
    assert (told["intent"], told["understood"]) == ("refund", "Money back")


def test_which_is_meant_is_asked_once_and_only_where_it_is_unclear(trained, monkeypatch) -> None:  # noqa: F811
    titled(trained)
    assert tell(trained, "Where is my order?")["answer"]["kind"] == "reply"
    monkeypatch.setattr(clarifying, "MARGIN", 1.0)
    asked = tell(trained, "我要退款")
    assert asked["answer"]["text"] == "请问您想问的是“退款”还是“order status”？"

    again = tell(trained, "我要退款，钱呢", asked["conversation_id"])["answer"]

    assert (again["kind"], again["text"]) == ("reply", "退款需要五天。")


def titled(business: Any) -> None:
    """Intents with names; the one without a reply is none to choose."""
    replies = [
        {"intent": "refund", "language": "en", "text": "Refunds take five days."}
        | {"title": "Money back"},
        {"intent": "refund", "language": "zh", "text": "退款需要五天。", "title": "退款"},
    ]
    assert business.call.post("replies", replies).json()["updated"] == 2
