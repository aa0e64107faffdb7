"""Conversations: continued, read back, and nobody else's business."""

from __future__ import annotations

from saas.chat.models import Conversation, Message

NOWHERE = "00000000-0000-4000-8000-000000000000"


def test_a_conversation_goes_on_and_is_read_back_in_order(shop) -> None:
    first = shop.call.post("chat/messages", {"text": "Hello there", "customer": "C7"}).json()
    on = {"conversation_id": first["conversation_id"]}
    second = shop.call.post("chat/messages", {"text": "你好", **on}).json()

    assert second["conversation_id"] == first["conversation_id"]
    whole = shop.call.get(f"conversations/{first['conversation_id']}").json()
    assert whole["customer"] == "C7"
    said = [(message["author"], message["text"]) for message in whole["messages"]]
    assert said == [
        ("customer", "Hello there"),
        ("bot", first["answer"]["text"]),
        ("customer", "你好"),
        ("bot", second["answer"]["text"]),
    ]
    assert whole["messages"][1]["id"] == first["message_id"]


def test_without_an_id_each_message_begins_a_conversation(shop) -> None:
    ids = {
        shop.call.post("chat/messages", {"text": "Hello"}).json()["conversation_id"]
        for _ in range(2)
    }

    assert len(ids) == 2


def test_conversations_are_listed_by_their_latest_message(shop) -> None:
    begun = [
        shop.call.post("chat/messages", {"text": f"Question {n}"}).json()["conversation_id"]
        for n in range(3)
    ]
    shop.call.post("chat/messages", {"text": "One more", "conversation_id": begun[0]})

    listed = shop.call.get("conversations").json()["results"]

    assert [entry["id"] for entry in listed] == [begun[0], begun[2], begun[1]]


def test_pages_follow_each_other_without_gaps(shop) -> None:
    rows = [{"text": f"text {n}", "intent": "any"} for n in range(25)]
    shop.call.post("examples", rows)
    seen, address = [], "examples?limit=10"
    while address:
        page = shop.call.get(address).json()
        seen += [entry["text"] for entry in page["results"]]
        address = (page["next"] or "").partition("/v1/")[2]

    assert sorted(seen) == sorted(row["text"] for row in rows)


def test_an_unknown_conversation_is_not_found_and_nothing_is_billed(shop) -> None:
    answer = shop.call.post("chat/messages", {"text": "Hello", "conversation_id": NOWHERE})

    assert answer.status_code == 404
    assert shop.call.get("usage").json()["totals"] == {}
    with shop.scope():
        assert not Message.objects.exists()


def test_another_tenants_conversation_is_not_found_and_left_alone(shop, bank) -> None:
    theirs = bank.call.post("chat/messages", {"text": "Hello"}).json()["conversation_id"]

    answers = [
        shop.call.get(f"conversations/{theirs}"),
        shop.call.post("chat/messages", {"text": "Hello", "conversation_id": theirs}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    with bank.scope():
        assert Message.objects.count() == 2
    with shop.scope():
        assert not Conversation.objects.exists()
