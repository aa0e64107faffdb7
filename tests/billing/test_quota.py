"""Quotas: used up means refused, with nothing stored and nothing metered."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.utils import timezone

from saas.billing import plans, quota, tasks
from saas.billing.models import Quota, Reservation, UsageRecord
from saas.chat.models import Conversation, Message
from saas.training.models import Run

BILLED = [
    ("chat/messages", {"text": "hello"}, "chat_message"),
    ("recommendations", {"limit": 3}, "recommendation"),
]


def allow(business, kind: str, units: int) -> None:
    """Leave that many units of this month."""
    period = quota.period_of(timezone.now().date())
    with business.scope():
        Quota.objects.update_or_create(
            kind=kind, period=period, defaults={"limit": units, "used": 0, "reserved": 0}
        )


def stored(business) -> list[int]:
    with business.scope():
        return [model.objects.count() for model in (UsageRecord, Conversation, Message, Run)]


@pytest.mark.parametrize(("path", "body", "kind"), BILLED)
def test_beyond_the_limit_nothing_is_done(path, body, kind, shop) -> None:
    allow(shop, kind, 0)

    answer = shop.call.post(path, body, **{"Idempotency-Key": "order"})

    assert (answer.status_code, answer.json()["code"]) == (402, "quota_exceeded")
    assert "plan" in answer.json()["detail"]
    assert stored(shop) == [0, 0, 0, 0]
    with shop.scope():
        assert (Quota.objects.get().used, Quota.objects.get().reserved) == (0, 0)
    allow(shop, kind, 1)
    again = shop.call.post(path, body, **{"Idempotency-Key": "order"})
    assert again.status_code in (200, 202), again.content


def test_the_last_unit_is_served(shop) -> None:
    allow(shop, "recommendation", 2)
    answers = [shop.call.post("recommendations", {}).status_code for _ in range(3)]
    assert answers == [200, 200, 402]


def test_other_kinds_and_tenants_go_on(shop, bank) -> None:
    allow(shop, "recommendation", 0)
    assert shop.call.post("chat/messages", {"text": "hello"}).status_code == 200
    assert bank.call.post("recommendations", {}).status_code == 200


def test_a_refused_request_costs_nothing(shop) -> None:
    assert shop.call.post("recommendations", {"limit": 0}).status_code == 400
    assert shop.call.post("chat/messages", {"text": ""}).status_code == 400
    assert stored(shop) == [0, 0, 0, 0]
    with shop.scope():
        assert not Quota.objects.exclude(used=0, reserved=0).exists()


@pytest.fixture
def bare_plan(owner) -> Iterator[str]:
    """A plan without a single price: only the operator, as the owner, can write one."""
    owner.execute("INSERT INTO billing_plan VALUES ('bare', 'Bare', 'USD', 0)")
    yield "bare"
    owner.execute("DELETE FROM billing_plan WHERE code = 'bare'")


def test_what_has_no_price_is_not_served(bare_plan, shop) -> None:
    with shop.scope():
        plans.subscribe(bare_plan, actor="test")
    answer = shop.call.post("recommendations", {})
    assert (answer.status_code, answer.json()["code"]) == (402, "quota_exceeded")


def test_a_new_plan_counts_at_once(shop) -> None:
    shop.call.post("chat/messages", {"text": "hello"})
    with shop.scope():
        assert Quota.objects.get().limit == 1_000_000
        plans.subscribe("free", actor="test")
        assert Quota.objects.get().limit == 1_000


def test_every_month_begins_anew(shop) -> None:
    with shop.scope():
        Quota.objects.create(
            kind="recommendation", period=date(2026, 1, 1), limit=1, used=1, reserved=0
        )
    assert shop.call.post("recommendations", {}).status_code == 200


def test_expired_reservations_are_given_back_to_every_tenant(shop, bank) -> None:
    for business in (shop, bank):
        with business.scope():
            quota.reserve("chat_message", 3)
            quota.reserve("chat_message", 2)
            Reservation.objects.filter(units=3).update(
                expires_at=timezone.now() - timedelta(seconds=1)
            )
    tasks.release()
    for business in (shop, bank):
        with business.scope():
            assert Quota.objects.get().reserved == 2
            assert Reservation.objects.get().units == 2
