"""Answers as server-sent events: typed, resumable, and made to their end whoever listens."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from saas import engine
from saas.billing.models import Quota, UsageRecord
from saas.chat import production, streams, tasks
from saas.chat.models import Message
from saas.chat.streams import Event, Log
from saas.connection import redis_client
from tests import language_server
from tests.conftest import Business, found
from tests.live.conftest import eventually

TERMS = (
    "# Returns\n\nChairs can be returned within thirty days. They must be unused and in their box."
)
QUESTION = {"text": "Can batteries be shipped?"}


@dataclass
class Told:
    id: int
    name: str
    data: Any


def events(answer: Any) -> list[Told]:
    """The events of a streamed answer, read to its end."""
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8", answer.content
    return parsed(b"".join(answer).decode())


def parsed(text: str) -> list[Told]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if lines:
            number = int(lines.get("id", 0))
            found.append(Told(number, lines["event"], json.loads(lines["data"])))
    return found


def ask(business: Business, body: Any = QUESTION, **headers: str) -> Any:
    return business.call.post("chat/messages", body, Accept="text/event-stream", **headers)


def read_on(business: Business, message: str, after: int) -> Any:
    return business.call.get(f"chat/messages/{message}/events", **{"Last-Event-ID": str(after)})


@pytest.fixture
def shop(committed: None) -> Business:
    """With something to tell; the answer is made in a thread, which sees what is committed."""
    business = found("shop")
    pair = {"question": "Do you ship batteries?", "answer": "Yes, by road only.", "language": "en"}
    assert business.call.post("knowledge", [pair]).json()["created"] == 1
    tasks.embed(str(business.id))
    return business


@pytest.fixture
def slow(monkeypatch: Any) -> Any:
    """The encoder works once it is let."""
    let, at_work, encode = threading.Event(), threading.Event(), engine.encode

    def encode_when_let(*given: Any, **more: Any) -> Any:
        at_work.set()
        assert let.wait(60)
        return encode(*given, **more)

    monkeypatch.setattr(engine, "encode", encode_when_let)
    yield let
    let.set()


def billed(business: Business) -> int:
    with business.scope():
        return UsageRecord.objects.filter(kind="chat_message").count()


def test_the_events_of_an_answer_are_the_plain_answer_in_parts(shop) -> None:
    told = events(ask(shop))

    assert [event.name for event in told] == ["message.started", "delta", "citations", "done"]
    assert [event.id for event in told] == [1, 2, 3, 4]
    started, delta, cited, done = (event.data for event in told)
    assert delta == {"text": "Yes, by road only."} == {"text": done["answer"]["text"]}
    assert cited["citations"][0]["source"] == cited["sources"][0]["id"]
    assert started.items() <= done.items()
    plain = shop.call.post("chat/messages", QUESTION).json()
    assert plain.keys() == done.keys()
    assert plain["answer"] == done["answer"]
    assert billed(shop) == 2
    with shop.scope():
        assert Message.objects.get(id=started["message_id"]).text == "Yes, by road only."


def test_a_language_models_sentences_come_one_by_one(shop, settings) -> None:
    file = SimpleUploadedFile("terms.md", TERMS.encode())
    headers = {"Authorization": f"Bearer {shop.secret}"}
    sent = shop.call.client.post("/v1/documents", {"file": file}, headers=headers).json()
    tasks.read(str(shop.id), sent["id"])
    tasks.embed(str(shop.id))
    with language_server.serve() as model:
        settings.LLM_BASE_URL, settings.LLM_MODEL = model.url, "small-model"
        model.says = "You can return chairs within 30 days. They must be unused and in their box."
        told = events(ask(shop, {"text": "How long may I bring back a chair?"}))

    deltas = [event.data["text"] for event in told if event.name == "delta"]
    done = told[-1].data["answer"]
    assert (len(deltas), done["kind"]) == (2, "composed")
    assert "".join(deltas) == done["text"]


def test_the_first_event_comes_before_the_encoder_works(shop, slow) -> None:
    pieces = iter(ask(shop))

    assert parsed(next(pieces).decode())[0].name == "message.started"
    slow.set()
    assert parsed(b"".join(pieces).decode())[-1].name == "done"


def test_an_answer_goes_on_when_its_reader_has_left(shop, slow, monkeypatch) -> None:
    monkeypatch.setattr(streams, "WAIT", 0.1)
    answer = ask(shop)
    message = parsed(next(iter(answer)).decode())[0].data["message_id"]
    answer.close()
    assert billed(shop) == 0

    slow.set()
    rest = events(read_on(shop, message, 1))

    assert [(event.id, event.name) for event in rest] == [
        (2, "delta"),
        (3, "citations"),
        (4, "done"),
    ]
    assert billed(shop) == 1
    with shop.scope():
        quota = Quota.objects.get(kind="chat_message")
        assert (quota.used, quota.reserved) == (1, 0)
    assert events(read_on(shop, message, 4)) == []
    assert 0 < redis_client().ttl(Log(shop.id, UUID(message)).key) <= streams.KEEP


def test_nobody_else_follows_it(shop) -> None:
    message = events(ask(shop))[0].data["message_id"]
    bank = found("bank")

    foreign = read_on(bank, message, 0)

    assert foreign.status_code == 404
    assert foreign.content == read_on(bank, str(uuid4()), 0).content
    odd = shop.call.get(f"chat/messages/{message}/events", **{"Last-Event-ID": "x"})
    assert (odd.status_code, odd.json()["code"]) == (400, "invalid_event_id")


def test_the_same_call_again_is_told_the_same_answer_and_not_billed(shop) -> None:
    key = {"Idempotency-Key": "one"}
    told = events(ask(shop, **key))

    assert events(ask(shop, **key)) == told
    assert shop.call.post("chat/messages", QUESTION, **key).json() == told[-1].data
    assert billed(shop) == 1


def test_of_two_same_calls_at_once_one_is_billed(shop, slow) -> None:
    answers = [ask(shop, **{"Idempotency-Key": "both"}) for _ in range(2)]
    slow.set()
    told = [events(answer) for answer in answers]

    assert told[0][-1] == told[1][-1]
    assert billed(shop) == 1
    with shop.scope():
        assert Quota.objects.get(kind="chat_message").reserved == 0


def test_what_is_wrong_before_the_start_is_a_problem(shop) -> None:
    for body, status in (({}, 400), (QUESTION | {"conversation_id": str(uuid4())}, 404)):
        answer = ask(shop, body)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert billed(shop) == 0


def test_what_breaks_after_it_is_an_event_in_the_customers_language(shop, monkeypatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(engine, "encode", broken)
    last = events(ask(shop, {"text": "能寄电池吗？"}))[-1]

    assert last.name == "error"
    assert last.data == {"code": "internal_error", "detail": streams.LOST["zh"]}
    assert billed(shop) == 0
    with shop.scope():
        assert Quota.objects.get(kind="chat_message").reserved == 0
    assert production._places.acquire(blocking=False)
    production._places.release()


def test_a_person_who_answers_is_left_to_it(shop) -> None:
    conversation = events(ask(shop))[0].data["conversation_id"]
    shop.call.post(f"conversations/{conversation}/hand-off", {})

    told = events(ask(shop, QUESTION | {"conversation_id": conversation}))

    assert [event.name for event in told] == ["message.started", "done"]
    assert (told[-1].data["state"], told[-1].data["answer"]) == ("waiting", None)
    assert billed(shop) == 1


def test_too_many_at_once_are_told_to_wait(shop, monkeypatch) -> None:
    monkeypatch.setattr(production, "_places", threading.BoundedSemaphore(1))
    with production._places:
        busy = ask(shop)
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (
        *(503, "busy"),
        "1",
    )
    assert events(ask(shop))[-1].name == "done"


def test_without_redis_it_says_so_and_plain_answers_go_on(shop, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    refused, plain = ask(shop), shop.call.post("chat/messages", QUESTION)

    assert (refused.status_code, refused.json()["code"]) == (503, "no_streaming")
    assert plain.status_code == 200
    with shop.scope():
        assert Quota.objects.get(kind="chat_message").reserved == 0


def test_a_killed_writer_is_noticed(shop, monkeypatch) -> None:
    """Its log lives no longer than its lease, which nobody renews."""
    monkeypatch.setattr(streams, "LEASE", 1)
    monkeypatch.setattr(streams, "WAIT", 0.2)
    log = Log(shop.id, uuid4())
    log.append(Event("message.started", {}))

    told = events(read_on(shop, str(log.message_id), 0))

    assert [event.name for event in told] == ["message.started", "error"]
    assert told[-1].data["code"] == "interrupted"


def readers() -> int:
    """Connections that follow an answer, in the eyes of Redis."""
    named = [client["name"] for client in redis_client().client_list()]
    return named.count(streams.READER)


def test_a_reader_who_waits_holds_the_line_and_one_who_leaves_leaves_nothing(
    shop, slow, monkeypatch
) -> None:
    monkeypatch.setattr(streams, "WAIT", 0.1)
    pieces = iter(ask(shop))
    started = parsed(next(pieces).decode())[0]
    other = iter(read_on(shop, started.data["message_id"], 1))

    assert [next(pieces)[:1], next(other)[:1]] == [b":", b":"]
    assert readers() == 2
    other.close()
    eventually(lambda: readers() == 1, within=20)
    slow.set()
    assert parsed(b"".join(pieces).decode())[-1].name == "done"
    eventually(lambda: readers() == 0, within=20)


def test_more_messages_than_the_limit_are_refused(shop, settings) -> None:
    settings.MESSAGE_LIMIT = "3/hour"
    conversation = events(ask(shop))[0].data["conversation_id"]
    body = QUESTION | {"conversation_id": conversation}

    answers = [shop.call.post("chat/messages", body) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert ask(shop, body).json()["code"] == "too_many_messages"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600
    assert shop.call.post("chat/messages", QUESTION).status_code == 200
    settings.MESSAGE_LIMIT = "100/hour"
    assert shop.call.post("chat/messages", body).status_code == 200


def test_an_asgi_server_is_given_it_in_its_own_loop(shop, monkeypatch) -> None:
    """And a client who hangs up ends the reading, not the answer."""
    monkeypatch.setattr(engine, "warm_up", lambda: None)
    from saas.asgi import application

    sent: list[Any] = []

    async def talk(*, leave: bool) -> None:
        body, gone = json.dumps(QUESTION).encode(), asyncio.Event()
        asked = [{"type": "http.request", "body": body, "more_body": False}]
        headers = {"authorization": f"Bearer {shop.secret}", "accept": "text/event-stream"}
        headers |= {"content-type": "application/json", "content-length": str(len(body))}

        async def receive() -> Any:
            if not asked:
                await gone.wait()
                return {"type": "http.disconnect"}
            return asked.pop()

        async def send(message: Any) -> None:
            sent.append(message)
            if leave and message.get("body"):
                gone.set()

        scope = {"type": "http", "method": "POST", "path": "/v1/chat/messages"}
        scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
        await application(scope | {"query_string": b""}, receive, send)

    asyncio.run(talk(leave=False))
    told = parsed(b"".join(message.get("body", b"") for message in sent).decode())
    assert [event.name for event in told][-1] == "done"
    sent.clear()
    asyncio.run(talk(leave=True))
    started = parsed(next(m["body"] for m in sent if m.get("body")).decode())[0]
    assert events(read_on(shop, started.data["message_id"], 1))[-1].name == "done"
    assert billed(shop) == 2
