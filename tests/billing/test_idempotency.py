"""Idempotency-Key: the same call again gets the first answer again, and is not billed again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from saas.billing import idempotency
from saas.billing.models import Answer, Quota
from tests.billing.test_usage import totals

ONCE = {"Idempotency-Key": "order-1"}
BILLED = [
    ("chat/messages", {"text": "hello"}, "chat_message"),
    ("recommendations", {"limit": 3}, "recommendation"),
]


@pytest.mark.parametrize(("path", "body", "kind"), BILLED)
def test_the_same_call_gets_the_first_answer_and_one_bill(path, body, kind, shop) -> None:
    first = shop.call.post(path, body, **ONCE)
    again = [shop.call.post(path, body, **ONCE) for _ in range(2)]

    assert first.status_code in (200, 202), first.content
    assert "Idempotent-Replayed" not in first.headers
    for answer in again:
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert (answer.status_code, answer.json()) == (first.status_code, first.json())
    assert totals(shop) == {kind: 1}
    with shop.scope():
        quota = Quota.objects.get(kind=kind)
        assert (quota.used, quota.reserved) == (1, 0)


@pytest.mark.parametrize(("path", "body", "kind"), BILLED)
def test_another_payload_is_a_conflict(path, body, kind, shop) -> None:
    shop.call.post(path, body, **ONCE)
    for other in ({**body, "more": 1}, {}):
        answer = shop.call.post(path, other, **ONCE)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert totals(shop) == {kind: 1}


def test_another_route_is_a_conflict(shop) -> None:
    shop.call.post("recommendations", {}, **ONCE)
    answer = shop.call.post("training/runs", {}, **ONCE)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")


def test_without_a_key_every_call_counts(shop) -> None:
    shop.call.post("recommendations", {})
    shop.call.post("recommendations", {})
    assert totals(shop) == {"recommendation": 2}


@pytest.mark.parametrize(("path", "body", "kind"), BILLED)
def test_a_failed_call_is_not_kept(path, body, kind, shop) -> None:
    refused = shop.call.post(path, {"nonsense": 1}, **ONCE)
    assert refused.status_code == 400

    answer = shop.call.post(path, body, **ONCE)

    assert answer.status_code in (200, 202), answer.content
    assert totals(shop) == {kind: 1}


def test_an_unbilled_write_is_answered_again_too(shop) -> None:
    rows = [{"id": "1", "title": "tea"}]
    first = shop.call.post("items", rows, **ONCE).json()
    again = shop.call.post("items", rows, **ONCE).json()
    assert first["created"] == again["created"] == 1


def test_an_answer_without_a_body_is_given_again(shop) -> None:
    shop.call.post("items", [{"id": "1", "title": "tea"}])
    assert shop.call.delete("items/1", **ONCE).status_code == 204
    again = shop.call.delete("items/1", **ONCE)
    assert (again.status_code, again.content) == (204, b"")
    assert shop.call.delete("items/1").status_code == 404


def test_a_read_takes_no_notice_of_the_key(shop) -> None:
    assert shop.call.get("items", **ONCE).json()["results"] == []
    shop.call.post("items", [{"id": "1", "title": "tea"}])
    assert len(shop.call.get("items", **ONCE).json()["results"]) == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "é"])
def test_a_key_of_another_form_is_refused(key: str, shop) -> None:
    answer = shop.call.post("recommendations", {}, **{"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert totals(shop) == {}


def test_answers_are_forgotten_after_the_promised_time(shop) -> None:
    shop.call.post("recommendations", {}, **ONCE)
    with shop.scope():
        assert idempotency.forget() == 0
        Answer.objects.update(at=timezone.now() - timedelta(hours=25))
        assert idempotency.forget() == 1
    assert "Idempotent-Replayed" not in shop.call.post("recommendations", {}, **ONCE).headers
