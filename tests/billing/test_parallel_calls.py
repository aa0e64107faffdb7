"""Calls at the same moment: one bill for one Idempotency-Key, and no way past a limit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from saas.billing import quota
from saas.billing.models import Quota, UsageRecord
from saas.errors import QuotaExceeded
from saas.training.models import Run
from tests.conftest import Caller, found


def at_once(times: int, work: Callable[[], Any]) -> list[Any]:
    """What `work` returns in so many threads, each with its own connection, begun together."""
    barrier = Barrier(times)

    def one() -> Any:
        barrier.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as threads:
        return [future.result() for future in [threads.submit(one) for _ in range(times)]]


@pytest.mark.parametrize(
    ("path", "body"), [("chat/messages", {"text": "hello"}), ("recommendations", {"limit": 3})]
)
def test_one_key_one_bill(path: str, body: dict[str, Any], committed) -> None:
    shop = found("shop")
    for number in range(5):
        headers = {"Idempotency-Key": f"order-{number}"}
        answers = at_once(4, lambda h=headers: Caller(shop.secret).post(path, body, **h))
        assert {answer.status_code for answer in answers} == {200}
        assert all(answer.json() == answers[0].json() for answer in answers)
        replayed = [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
        assert len(replayed) == 3
    with shop.scope():
        assert UsageRecord.objects.count() == 5
        assert (Quota.objects.get().used, Quota.objects.get().reserved) == (5, 0)


def test_one_key_and_two_payloads_make_one_bill(committed) -> None:
    shop = found("shop")
    bodies = iter([{"limit": 1}, {"limit": 2}])
    call = lambda: Caller(shop.secret).post(  # noqa: E731
        "recommendations", next(bodies), **{"Idempotency-Key": "order"}
    )
    assert sorted(answer.status_code for answer in at_once(2, call)) == [200, 409]
    with shop.scope():
        assert UsageRecord.objects.count() == 1


@pytest.mark.parametrize("take", [quota.spend, quota.reserve])
def test_together_they_cannot_pass_the_limit(take: Callable[[str], Any], committed) -> None:
    shop = found("shop")
    with shop.scope():
        quota.spend("recommendation")
        Quota.objects.update(limit=4)

    def one() -> bool:
        with shop.scope():
            try:
                take("recommendation")
            except QuotaExceeded:
                return False
            return True

    assert sorted(at_once(8, one)) == [False] * 5 + [True] * 3
    with shop.scope():
        there = Quota.objects.get()
        assert there.used + there.reserved == 4


def test_one_run_of_a_kind_is_opened(committed) -> None:
    shop = found("shop")
    answers = at_once(3, lambda: Caller(shop.secret).post("training/runs", {"kind": "intent"}))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    with shop.scope():
        assert Run.objects.count() == 1
        assert Quota.objects.get(kind="training_run").used == 1
