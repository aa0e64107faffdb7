"""What a visitor can do: talk, ask for a person, judge, send files, be forgotten."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT, encode_multipart

from saas.billing.models import UsageRecord
from saas.chat import attachments, handoffs
from saas.chat.models import Attachment, Conversation, HandOff, Message
from saas.widget.api import talk
from tenants.models import ApiKey
from tests.widget.conftest import ORIGIN, Page, key_of
from tests.widget.test_sessions import refused

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def send_file(page: Page, name: str, content: bytes, conversation: str = "") -> Any:
    form = {"file": SimpleUploadedFile(name, content), "conversation_id": conversation}
    return page.client.post(
        "/widget/files",
        encode_multipart("frame", form),
        content_type=MULTIPART_CONTENT.replace("BoUnDaRyStRiNg", "frame"),
        headers={"Authorization": f"Bearer {page.token}", "Origin": page.origin},
    )


def look(shop: Any, **given: Any) -> None:
    with shop.scope():
        id = ApiKey.objects.get(kind="pk").id
    assert shop.call("PUT", f"widgets/{id}", given).status_code == 200


def test_a_message_is_answered_stored_and_billed_like_any_other(shop, page) -> None:
    answer = page.say("Hello")

    assert answer.status_code == 200, answer.content
    assert answer.json()["answer"]["kind"] == "talk"
    seen = page.get(f"conversations/{answer.json()['conversation_id']}").json()
    assert [m["author"] for m in seen["messages"]] == ["customer", "bot"]
    assert seen["messages"][1]["id"] == answer.json()["message_id"]
    assert seen["state"] == "bot"
    with shop.scope():
        used = UsageRecord.objects.get()
        assert used.api_key == ApiKey.objects.get(kind="pk").id
        assert Conversation.objects.get().customer.startswith("visitor:")


def test_a_message_sent_again_is_stored_and_billed_once(shop, page) -> None:
    once = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = page.say("Hello", **once), page.say("Hello", **once)
    streamed = page.say("Hello", Accept="text/event-stream", **once)

    assert first.json() == again.json()
    told = b"".join(streamed).decode()
    assert first.json()["message_id"] in told
    assert told.count("event: done") == 1
    with shop.scope():
        assert Message.objects.count() == 2
        assert UsageRecord.objects.count() == 1
    other = Page(page.key)
    other.begin()
    assert other.say("Hello", **once).status_code == 409


def test_another_visitors_conversation_is_not_there(shop, page) -> None:
    said = page.say("My secret").json()
    id, message = said["conversation_id"], said["message_id"]
    other = Page(page.key)
    other.begin()
    calls = [
        other.get(f"conversations/{id}"),
        other.say("Hello", id),
        other.post("hand-off", {"conversation_id": id}),
        other.get(f"live?conversation_id={id}"),
        send_file(other, "a.png", PNG, id),
        other.post(f"messages/{message}/feedback", {"helpful": True}),
        *(other.post(f"conversations/{id}/{what}") for what in ("close", "typing")),
        other.post(f"conversations/{id}/rating", {"score": 1}),
        other.post(f"conversations/{id}/transcript", {"address": "me@shop.example"}),
    ]
    assert [call.status_code for call in calls] == [404] * len(calls)
    assert all("not there" in call.json()["message"] for call in calls)
    assert other.call("DELETE", "data").json() == {"conversations": 0}
    assert other.get("conversations").json() == []


def test_a_person_is_asked_for_before_a_word_was_said(shop, page) -> None:
    waiting = page.post("hand-off", {"contact": {"name": " Li  Mei", "email": "li@shop.example"}})
    other = Page(page.key)
    other.begin()
    second = other.post("hand-off").json()

    assert (waiting.json()["state"], waiting.json()["position"]) == ("waiting", 1)
    assert second["position"] == 2
    with shop.scope():
        first = HandOff.objects.get(conversation_id=waiting.json()["id"])
        assert first.conversation.contact == {"name": "Li Mei", "email": "li@shop.example"}
        handoffs.take(first.id, agent="mei")
        handoffs.say(first.id, "Hello, Mei here.", agent="mei")
    seen = page.get(f"conversations/{waiting.json()['id']}").json()
    assert (seen["state"], seen["agent"], seen["position"]) == ("agent", "mei", None)
    assert seen["messages"][0]["agent"] == "mei"
    assert other.get(f"conversations/{second['id']}").json()["position"] == 1
    said = page.say("Thanks", waiting.json()["id"]).json()
    assert (said["state"], said["answer"]) == ("agent", None)


def test_what_was_said_since_is_read_once_and_in_order(page) -> None:
    id = page.say("Hello").json()["conversation_id"]
    whole = page.get(f"conversations/{id}").json()["messages"]
    page.say("Thanks", id)

    since = page.get(f"conversations/{id}?after={whole[-1]['at'].replace('+', '%2B')}").json()

    assert [m["text"] for m in since["messages"]][-2] == "Thanks"
    before = page.get(f"conversations/{id}?before={whole[1]['at'].replace('+', '%2B')}").json()
    assert [m["id"] for m in before["messages"]] == [whole[0]["id"]]


def test_an_answer_is_judged_and_a_conversation_rated(page) -> None:
    said = page.say("Hello").json()
    id = said["conversation_id"]
    assert (
        page.post(f"messages/{said['message_id']}/feedback", {"helpful": False}).status_code == 204
    )
    assert page.post(f"conversations/{id}/rating", {"score": 4}).status_code == 204
    seen = page.get(f"conversations/{id}").json()
    assert (seen["messages"][1]["helpful"], seen["score"]) == (False, 4)
    assert page.post(f"conversations/{id}/close").status_code == 204
    assert page.get(f"conversations/{id}").json()["state"] == "closed"
    assert page.say("Hello again", id).json()["state"] == "bot"


def test_a_slot_is_asked_for_in_its_form(shop, page, monkeypatch) -> None:
    id = page.say("Hello").json()["conversation_id"]
    slots = [{"name": "day", "kind": "date", "ask": {"en": "Which day?"}}]
    setting = {"url": "https://shop.example/x", "slots": slots, "answer": {"en": "ok"}}
    monkeypatch.setattr("saas.outside.check", lambda *_: None)
    assert shop.call("PUT", "actions/book", setting).status_code in (200, 201)
    with shop.scope():
        asked = {"intent": "book", "slot": "day", "tries": 1, "values": {}}
        Message.objects.create(
            conversation_id=id, author="bot", kind="ask", text="Which day?", form=asked
        )
    last = page.get(f"conversations/{id}").json()["messages"][-1]
    assert last["ask"] == {"slot": "day", "kind": "date", "choices": []}


def test_files_are_told_by_their_content_and_opened_by_a_link(shop, page) -> None:
    sent = send_file(page, "../photo.png", PNG)
    assert sent.status_code == 201, sent.content
    id = sent.json()["conversation_id"]
    seen = page.get(f"conversations/{id}").json()["messages"]
    assert [(m["author"], m["kind"]) for m in seen] == [("customer", ""), ("bot", "fallback")]
    (file,) = seen[0]["files"]
    assert (file["name"], file["type"]) == ("photo.png", "image/png")

    opened = page.client.get(file["path"])
    assert b"".join(opened.streaming_content) == PNG
    assert opened.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in opened.headers["Content-Security-Policy"]
    assert page.client.get(file["path"][:-1] + "x").status_code == 404

    text = send_file(page, "a.txt", b"<script>alert(1)</script>", id)
    assert text.status_code == 201
    path = page.get(f"conversations/{id}").json()["messages"][2]["files"][0]["path"]
    opened = page.client.get(path)
    assert opened.headers["Content-Type"] == "text/plain"
    assert opened.headers["Content-Disposition"].startswith("attachment")
    assert page.say("yes please", id).json()["state"] == "waiting"  # the offer was taken


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", b"<html><script>alert(1)</script>"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.html", b"<b>hi</b>"),
        ("a.txt", b"a\0b"),
        ("a.txt", b""),
        ("a.exe", b"MZ\x90"),
    ],
)
def test_files_of_other_kinds_leave_nothing_behind(name, content, shop, page) -> None:
    assert "not taken" in refused(send_file(page, name, content), 400)
    with shop.scope():
        assert not Message.objects.exists()
        assert not Conversation.objects.exists()


def test_a_file_that_is_too_large_is_refused(shop, page, monkeypatch) -> None:
    monkeypatch.setattr(attachments, "LARGEST", 100)
    assert "too large" in refused(send_file(page, "a.png", PNG + b"0" * 100), 413)
    look(shop, uploads=False)
    assert "cannot be sent" in refused(send_file(page, "a.png", PNG), 400)


def test_a_transcript_goes_out_by_mail(page, worked_off) -> None:
    id = page.say("Hello").json()["conversation_id"]
    with worked_off():
        sent = page.post(f"conversations/{id}/transcript", {"address": "li@shop.example"})
    assert sent.status_code == 202, sent.content
    (letter,) = mail.outbox
    assert letter.to == ["li@shop.example"]
    assert "Hello" in letter.body
    for address in ("x", "a@b", "a@b.c\nBcc: d@e.fr", "x" * 300 + "@b.com"):
        refused(page.post(f"conversations/{id}/transcript", {"address": address}), 400)
    answers = [
        page.post(f"conversations/{id}/transcript", {"address": "li@shop.example"}).status_code
        for _ in range(3)
    ]
    assert answers == [202, 202, 429]


def test_what_a_visitor_said_is_deleted_for_good(shop, page) -> None:
    shop.call.post("webhooks", {"url": "https://shop.example/hook"})
    id = send_file(page, "photo.png", PNG).json()["conversation_id"]
    page.say("My secret", id, **{"Idempotency-Key": "once"})
    path = page.get(f"conversations/{id}").json()["messages"][0]["files"][0]["path"]

    assert page.call("DELETE", "data").json() == {"conversations": 1}

    assert page.get("conversations").json() == []
    assert page.client.get(path).status_code == 404
    from tests.test_isolation import _content

    left = str({table: rows for table, rows in _content(shop).items()})
    assert "My secret" not in left
    assert id not in left
    with shop.scope():
        assert not Attachment.objects.exists()
        assert UsageRecord.objects.count() == 1  # what was billed stays billed


def test_erasing_a_customer_takes_their_conversations_along(shop) -> None:
    shop.call.post("chat/messages", {"text": "My secret", "customer": "C1"})
    assert shop.call.delete("customers/C1").json()["conversations"] == 1
    with shop.scope():
        assert not Message.objects.exists()


@pytest.mark.parametrize(("language", "said"), [("en", "Please wait"), ("zh-CN", "请等待")])
def test_who_writes_too_fast_is_told_so_in_their_language(
    language, said, page, monkeypatch
) -> None:
    page.language = language
    monkeypatch.setattr(talk, "MESSAGES", "1/hour")
    assert page.say("Hello").status_code == 200
    answer = page.say("Hello")
    assert said in refused(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0


def test_an_address_has_a_limit_of_its_own(page, monkeypatch) -> None:
    monkeypatch.setattr(talk, "MESSAGES_OF_ADDRESS", "1/day")
    assert page.say("Hello").status_code == 200
    other = Page(page.key)
    other.begin()
    refused(other.say("Hello"), 429)


def test_a_widget_has_a_daily_budget_and_people_have_none(shop, page) -> None:
    look(shop, messages_a_day=1)
    id = page.say("Hello").json()["conversation_id"]
    assert "ask for a person" in refused(page.say("Thanks", id), 429)
    page.post("hand-off", {"conversation_id": id})
    assert page.say("Thanks", id).status_code == 200


def test_a_pasted_megabyte_is_refused_in_words(page) -> None:
    assert "2,000 characters" in refused(page.say("x" * 1_000_000), 400)


def test_only_the_keys_pages_may_read_an_answer(page) -> None:
    assert page.say("Hello").headers["Access-Control-Allow-Origin"] == ORIGIN
    page.origin = "https://evil.example"
    assert "Access-Control-Allow-Origin" not in page.say("Hello").headers


def test_looks_are_kept_and_shown(shop, page) -> None:
    look(shop, title={"en": "Tea help"}, colour="#00695c", asks=["email"], messages_a_day=9)
    shown = page.begin(token=page.token).json()
    assert shown["look"]["title"]["en"] == "Tea help"
    assert "messages_a_day" not in shown["look"]
    with shop.scope():
        id = ApiKey.objects.get(kind="pk").id
        secret = ApiKey.objects.get(kind="sk").id
    for wrong in ({"colour": "red"}, {"side": "top"}, {"rules": [{"says": {}}]}, {"asks": ["age"]}):
        assert shop.call("PUT", f"widgets/{id}", wrong).status_code == 400
    assert shop.call("PUT", f"widgets/{secret}", {}).status_code == 404
    assert [w["id"] for w in shop.call.get("widgets").json()["results"]] == [str(id)]


def test_a_widget_has_hours_of_its_own(shop, page) -> None:
    general = {"hours": {}, "away": {"en": "All asleep."}}
    assert shop.call("PUT", "inbox/policy", general).status_code == 200
    never = {"mon": [{"start": "00:00", "end": "00:01"}]}
    at = datetime.now(ZoneInfo("Asia/Tokyo"))
    if at.weekday() == 0 and at.hour == 0:
        never = {"tue": never["mon"]}
    own = {"hours": never, "timezone": "Asia/Tokyo", "away": {"en": "Back on Monday."}}
    look(shop, hours=own)

    session = page.begin().json()
    asked = page.say("Talk to a person").json()
    seen = page.get(f"conversations/{asked['conversation_id']}").json()

    assert (session["open"], session["away"]["en"], seen["open"]) == (
        False,
        "Back on Monday.",
        False,
    )
    assert "hours" not in session["look"]
    assert (asked["state"], asked["answer"]["text"]) == ("waiting", "Back on Monday.")
    assert page.post("hand-off").json()["open"] is False
    known = page.say("When are you open?").json()["answer"]["text"]
    assert "Asia/Tokyo" in known
    page.language = "zh"
    assert "不在服务时间" in page.say("转人工").json()["answer"]["text"]  # ours, where it has none
    others = shop.call.post("chat/messages", {"text": "Talk to a person"}).json()
    assert "handing you over" in others["answer"]["text"]

    look(shop)
    assert page.begin(token=page.token).json()["away"] == {"en": "All asleep.", "zh": ""}
    assert page.get(f"conversations/{asked['conversation_id']}").json()["open"] is True
    wrong = {"hours": {"timezone": "Mars"}}
    with shop.scope():
        id = ApiKey.objects.get(kind="pk").id
    assert shop.call("PUT", f"widgets/{id}", wrong).status_code == 400


def test_two_keys_are_two_widgets_of_one_tenant(shop) -> None:
    pages = [
        Page(key_of(shop, f"https://{n}.example"), origin=f"https://{n}.example") for n in "ab"
    ]
    for page in pages:
        page.begin()
        page.say("Hello")
    assert [len(page.get("conversations").json()) for page in pages] == [1, 1]
