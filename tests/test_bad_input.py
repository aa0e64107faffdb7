"""Bad input: a clear problem document that says what to do, and no row lost or half-written."""

from __future__ import annotations

import base64
import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connections
from django.utils import timezone

from ml.engine import Engine
from saas import engine
from saas.billing.models import Quota, Reservation, UsageRecord
from saas.chat.models import Conversation, Message
from saas.training.api import examples as training
from saas.training.examples import KIND
from saas.training.models import Example
from tenants import keys
from tenants.models import ApiKey
from tests.conftest import found
from tests.wsgi import held_open, send

LEAKS = ("Traceback", 'File "', "SELECT", "INSERT", "psycopg", "django", "pydantic", "/saas/")


def problem(response: Any, status: int, code: str | None = None) -> str:
    """Check that an answer is a problem document fit for a caller; returns what it says."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert code in (None, body["code"])
    detail: str = body["detail"]
    assert len(detail) > 15
    assert not [leak for leak in LEAKS if leak in response.content.decode()]
    return detail


def examples(business: Any) -> list[tuple[str, str]]:
    with business.scope():
        return list(Example.objects.order_by("text").values_list("text", "intent"))


BODIES = {
    "no body": (b"", "text: Must be given"),
    "not JSON": (b"text=hello", "not valid JSON"),
    "half of JSON": (b'{"text": "hel', "not valid JSON"),
    "GB18030": ('{"text": "快递"}'.encode("gb18030"), "Encode it as UTF-8"),
    "UTF-16": ('{"text": "hi"}'.encode("utf-16"), "Encode it as UTF-8"),
    "a NUL character": (b'{"text": "a\\u0000b"}', "Remove it"),
    "a bare NUL": (b'{"text": "a\0b"}', "not valid JSON"),
    "half a character": (b'{"text": "\\ud800"}', "whole characters"),
    "NaN": (b'{"text": NaN}', "NaN is no JSON number"),
    "a huge number": (b'{"text": ' + b"9" * 5_000 + b"}", "not valid JSON"),
    "deep nesting": (b'{"text": ' + b"[" * 200_000, "nested too deeply"),
    "deep nesting of escapes": (b"[" * 900 + b'"\\u0041"' + b"]" * 900, "JSON object"),
    "a list": (b"[]", "Must be a JSON object"),
    "a word": (b'"hello"', "Must be a JSON object"),
    "null": (b"null", "Must be a JSON object"),
    "a number for a text": (b'{"text": 5}', "Must be a text"),
    "only spaces": (b'{"text": " \\n\\u3000"}', "Must not be empty"),
    "a long text": (json.dumps({"text": "x" * 2_001}).encode(), "at most 2000 characters"),
    "an unknown field": (b'{"text": "hi", "txet": "hi"}', "txet: There is no such field"),
    "an unknown language": (b'{"text": "hi", "language": "fr"}', "'en' or 'zh'"),
    "an id that is none": (b'{"text": "hi", "conversation_id": "5"}', "conversation_id: "),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_does_not_fit_is_explained(case: str, shop) -> None:
    raw, reason = BODIES[case]

    assert reason in problem(shop.call("POST", "chat/messages", raw=raw), 400)
    with shop.scope():
        assert not Message.objects.exists()
        assert not UsageRecord.objects.exists()


def test_a_utf8_mark_before_the_json_is_taken(shop) -> None:
    raw = b'\xef\xbb\xbf[{"text": "hi", "intent": "greet"}]'

    assert shop.call("POST", "examples", raw=raw).json()["created"] == 1


def test_another_media_type_is_refused_with_what_is_taken(shop) -> None:
    for content_type in (
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; b",
    ):
        answer = shop.call.client.post(
            "/v1/examples",
            b"text=hi",
            content_type=content_type,
            headers={"Authorization": f"Bearer {shop.secret}"},
        )
        assert "application/json" in problem(answer, 415)


def test_answers_in_another_format_are_refused(shop) -> None:
    assert "Accept" in problem(shop.call.get("items", Accept="text/csv"), 406)
    assert "format: There is no such field" in problem(shop.call.get("items?format=xml"), 400)


def test_a_method_that_is_not_there_is_refused_whatever_the_key(shop, stranger) -> None:
    for call in (shop.call, stranger):
        for method in ("PUT", "PATCH", "DELETE", "TRACE"):
            answer = call(method, "items", [])
            assert "GET" in problem(answer, 405, "method_not_allowed")
            assert "POST" in answer["Allow"]


def test_paths_that_are_not_there_are_refused(shop) -> None:
    for path in (
        "nothing",
        "items/",
        "examples/5",
        "examples/%00",
        "items/%0a",
        "keys/%ff",
        "%F0%28",
    ):
        problem(shop.call.get(path), 404)


def test_unknown_ids_are_not_found(shop) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    for path in ("conversations", "knowledge", "training/runs", "versions"):
        assert "Check the id" in problem(shop.call.get(f"{path}/{nowhere}"), 404, "not_found")
    for path in ("knowledge", "replies", "examples", "keys"):
        assert "Check the id" in problem(shop.call.delete(f"{path}/{nowhere}"), 404, "not_found")
    assert "Check the id" in problem(shop.call.get("items/无"), 404, "not_found")


@pytest.mark.parametrize("length", ["x", "-1", "1.5", "²", "1" * 30])
def test_a_content_length_that_is_no_number_is_refused(length: str, shop) -> None:
    answer = shop.call.client.post(
        "/v1/examples", b"[]", content_type="application/json", CONTENT_LENGTH=length
    )

    problem(answer, 400)


def test_a_body_over_the_limit_is_refused(shop, settings) -> None:
    settings.BODY_LIMIT = 1_000
    row = {"text": "x" * 1_000, "intent": "long"}

    detail = problem(shop.call.post("examples", [row]), 413, "body_too_large")

    assert "at most 1,000" in detail
    assert examples(shop) == []


def test_a_file_over_the_limit_is_refused(shop, settings) -> None:
    settings.UPLOAD_LIMIT = 1_000

    answer = shop.call.upload("examples", "a.csv", b"text,intent\n" + b"x,y\n" * 1_000)

    assert "Send it in parts" in problem(answer, 413, "body_too_large")


ROW = b'[{"text": "hi", "intent": "greet"}]'
FALSE_LENGTHS = {
    "too short": ({"CONTENT_LENGTH": "9"}, 400, b"not valid JSON"),
    "missing": ({}, 400, b"JSON array of 1 to 1,000 examples"),
    "in chunks": ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411, b"Content-Length"),
}


@pytest.mark.parametrize("case", FALSE_LENGTHS)
def test_a_length_that_is_not_the_bodys_stores_nothing(case: str, shop) -> None:
    environ, status, reason = FALSE_LENGTHS[case]

    with held_open():
        answer = send("/v1/examples", ROW, secret=shop.secret, **environ)

    assert answer.status == status
    assert reason in answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert examples(shop) == []


BATCHES = ("examples", "knowledge", "replies", "items", "events")


@pytest.mark.parametrize("path", BATCHES)
def test_a_batch_has_1_to_1000_rows(path: str, shop) -> None:
    for body in ([], [{}] * 1_001, {}, "rows", None):
        assert "1 to 1,000" in problem(shop.call.post(path, body), 400, "invalid_batch")


@pytest.mark.parametrize("path", BATCHES)
def test_rows_that_are_no_objects_fail_one_by_one(path: str, shop) -> None:
    answer = shop.call.post(path, [None, 5, "text", [], {}]).json()

    assert answer["failed"] == 5
    assert all("JSON object" in row["errors"][0]["message"] for row in answer["rows"][:4])
    assert all("Row" not in error["message"] for row in answer["rows"] for error in row["errors"])


def test_a_bad_row_says_which_field_and_why_and_the_good_rows_are_kept(shop) -> None:
    rows = [
        {"text": "hello", "intent": "greet"},
        {"text": "no intent"},
        {"text": "x" * 9_999, "intent": "long"},
        {"text": "bye", "intent": "  "},
        {"text": "bye", "intent": "bye", "extra": 1},
        {"text": "thanks", "intent": "thank"},
    ]

    answer = shop.call.post("examples", rows).json()

    assert [row["status"] for row in answer["rows"]] == ["created", *["failed"] * 4, "created"]
    assert [row["row"] for row in answer["rows"]] == list(range(6))
    said = [(e["field"], e["message"]) for row in answer["rows"] for e in row.get("errors", [])]
    assert [field for field, _ in said] == ["intent", "text", "intent", "extra"]
    assert "It has 9,999 characters" in said[1][1]
    assert all(len(message) < 250 for _, message in said)
    assert examples(shop) == [("hello", "greet"), ("thanks", "thank")]


def test_cells_of_ten_million_characters_are_refused_in_every_way(shop, settings) -> None:
    settings.BODY_LIMIT = settings.UPLOAD_LIMIT = 100 * 1024**2
    giant, good = "长" * 10_000_000, {"text": "hello", "intent": "greet"}

    batch = shop.call("POST", "examples", [{"text": giant, "intent": "x"}, good])
    lines = "\n".join(json.dumps(row) for row in ({"text": "x" * 10**7, "intent": "x"}, good))
    by_line = shop.call.upload("examples", "a.jsonl", lines.encode())
    table = shop.call.upload(
        "examples", "a.csv", f"text,intent\nbye,bye\n{'x' * 10**7},x\n".encode()
    )

    assert (batch.json()["created"], batch.json()["failed"]) == (1, 1)
    assert len(batch.content) < 2_000
    assert (by_line.json()["unchanged"], by_line.json()["failed"]) == (1, 1)
    assert "line 3" in problem(table, 400, "invalid_file")
    assert examples(shop) == [("bye", "bye"), ("hello", "greet")]


def test_duplicates_in_a_batch_and_across_batches_are_stored_once(shop) -> None:
    rows = [{"text": "Hello", "intent": "a"}, {"text": "ｈello ", "intent": "b"}]

    first, second = (shop.call.post("examples", rows[::step]).json() for step in (1, -1))

    assert [row["status"] for row in first["rows"]] == ["created", "updated"]
    assert [row["status"] for row in second["rows"]] == ["unchanged", "updated"]
    assert [intent for _, intent in examples(shop)] == ["a"]


CURSORS = ["x", "&", "cj0xJnA9MQ", "%00", "长", "a" * 3_000, "cD0lMDA="] + [
    base64.b64encode(inside).decode()
    for inside in (
        b"p=%00",
        b"p=x",
        b"p=9999-12-31T23:59:59-23:59",
        b"o=99999999",
        b"p=1e999",
        b"o=-1",
    )
]


@pytest.mark.parametrize(
    "path", ["items", "replies", "examples", "conversations", "keys", "versions"]
)
def test_a_cursor_of_somebody_elses_making_is_refused_or_read(path: str, shop) -> None:
    for cursor in CURSORS:
        answer = shop.call.get(f"{path}?cursor={cursor}")
        if answer.status_code != 200:
            assert "cursor" in problem(answer, 400)


def test_a_page_size_out_of_bounds_is_refused(shop) -> None:
    for limit in ("0", "201", "-1", "x", "1e3", "9" * 400):
        assert "limit: " in problem(shop.call.get(f"items?limit={limit}"), 400)
    assert "There is no such field" in problem(shop.call.get("items?page=2"), 400)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_parameter_given_twice_is_refused(method: str, shop) -> None:
    shop.call.post("events", [{"customer": "C1", "item": "tea", "kind": "view"}])
    answer = shop.call(method, "events?customer=C2&customer=C1")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": "customer", "message": "Is given more than once. Give it once."}
    ]
    assert len(shop.call.get("events?customer=C1").json()["results"]) == 1


def test_a_foreign_host_is_refused(shop) -> None:
    shop.call.post("items", [{"id": "1", "title": "a"}, {"id": "2", "title": "b"}])

    problem(shop.call.get("items?limit=1", Host="evil.example"), 400)


def test_a_dead_key_is_refused(shop) -> None:
    with shop.scope():
        expired, old = keys.issue(
            name="old", lifetime=timedelta(days=1), actor="test", scopes=["chat"]
        )
        ApiKey.objects.filter(id=expired.id).update(expires_at=timezone.now())
        revoked, gone = keys.issue(name="gone", actor="test", scopes=["chat"])
        keys.revoke(revoked, actor="test")
    for secret in (old, gone, "fd_sk_", "fd_sk_é" * 5_000):
        answer = type(shop.call)(secret).post("chat/messages", {"text": "hi"})
        assert "Issue a new one" in problem(answer, 401, "authentication_failed")
        assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_missing_key_says_how_to_send_one(stranger) -> None:
    answer = stranger.post("chat/messages", {"text": "hi"})

    assert "Authorization: Bearer fd_sk_" in problem(answer, 401, "not_authenticated")


def test_unknown_scopes_are_refused_with_those_there_are(shop) -> None:
    answer = shop.call.post("keys", {"name": "new", "scopes": ["chat", "world:rule"]})

    detail = problem(answer, 400)
    assert "world:rule" in detail
    assert "conversations:read" in detail


class Stuck:
    """An encoder that works on one text until it is let go."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self.fingerprint = "stuck"

    def encode(self, texts: Any, *, kind: str = "query", adapter: Any = None) -> Any:
        self.begun.set()
        self.end.wait(60)
        return np.zeros((len(texts), 4), np.float32)


@pytest.fixture
def full(monkeypatch: Any) -> Any:
    """The process's engine with a call in work and as many waiting as its queue takes."""
    stuck = Stuck()
    full = Engine(stuck, queue_size=1)
    callers = [
        threading.Thread(target=full.encode, args=(["x"],), kwargs={"timeout": 60})
        for _ in range(2)
    ]
    callers[0].start()
    stuck.begun.wait(30)
    callers[1].start()
    while not full._queue.full():
        callers[1].join(0.001)
    monkeypatch.setattr(engine, "_loaded", (stuck, full))
    yield
    stuck.end.set()
    for caller in callers:
        caller.join()
    full.close()


def test_a_full_queue_costs_nothing_and_says_when_to_come_again(shop, full) -> None:
    answer = shop.call.post("chat/messages", {"text": "hi"}, **{"Idempotency-Key": "once"})

    assert "Try again in a second" in problem(answer, 503, "busy")
    assert answer["Retry-After"] == "1"
    with shop.scope():
        assert not Conversation.objects.exists()
        assert not UsageRecord.objects.exists()
        assert not Reservation.objects.exists()
        assert list(Quota.objects.values_list("used", "reserved")) == [(0, 0)]


def test_after_a_full_queue_the_same_idempotency_key_is_answered(shop, full, monkeypatch) -> None:
    once = {"Idempotency-Key": "once"}
    problem(shop.call.post("chat/messages", {"text": "hi"}, **once), 503)
    monkeypatch.undo()

    assert shop.call.post("chat/messages", {"text": "hi"}, **once).status_code == 200


@contextmanager
def database_gone() -> Iterator[None]:
    database = connections["default"]
    there = database.settings_dict["PORT"]
    database.close()
    database.settings_dict["PORT"] = "1"
    try:
        yield
    finally:
        database.settings_dict["PORT"] = there
        database.close()


def hang_up() -> None:
    """End this process's database connection from the other side."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    other = connections["default"].copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    other.close()


def test_a_database_that_is_gone_is_said_so(committed) -> None:
    shop = found("shop")

    with database_gone():
        answer = shop.call.get("items")

    assert "Try again" in problem(answer, 503, "unavailable")
    assert answer["Retry-After"] == "5"
    assert shop.call.get("items").status_code == 200


def test_a_database_that_was_restarted_is_found_again(committed) -> None:
    shop = found("shop")
    hang_up()

    answer = send("/v1/examples", ROW, secret=shop.secret, CONTENT_LENGTH=str(len(ROW)))

    assert answer.status == 200
    assert examples(shop) == [("hi", "greet")]


def test_a_database_lost_at_the_commit_stores_nothing_and_says_so(committed, monkeypatch) -> None:
    shop = found("shop")

    def write(rows: Any) -> Any:
        statuses = KIND.write(rows)
        hang_up()
        return statuses

    monkeypatch.setattr(training, "examples", Namespace(KIND=replace(KIND, write=write)))
    answer = shop.call.post("examples", [{"text": "hi", "intent": "greet"}])
    connections["default"].close()

    assert "Try again" in problem(answer, 503, "unavailable")
    assert examples(shop) == []
