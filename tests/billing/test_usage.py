"""What was served is counted once, and shown by day, kind and key."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from saas.billing import usage
from saas.billing.models import UsageRecord
from tests.conftest import Caller


def totals(business) -> dict[str, int]:
    answer = business.call.get("usage")
    assert answer.status_code == 200, answer.content
    return answer.json()["totals"]


def test_the_same_work_is_counted_once(shop) -> None:
    with shop.scope():
        for _ in range(3):
            usage.record(key="message:1", kind="chat_message", api_key=None)
        usage.record(key="message:2", kind="chat_message", api_key=None)
    assert totals(shop) == {"chat_message": 2}


def test_two_tenants_may_name_their_work_alike(shop, bank) -> None:
    for business in (shop, bank):
        with business.scope():
            usage.record(key="message:1", kind="chat_message", api_key=None)
    assert totals(shop) == totals(bank) == {"chat_message": 1}


def test_every_billed_call_is_counted_by_its_key(shop) -> None:
    issued = shop.call.post("keys", {"name": "second"}).json()
    second = Caller(issued["secret"])
    shop.call.post("chat/messages", {"text": "hello"})
    shop.call.post("recommendations", {})
    second.post("recommendations", {})
    second.post("recommendations", {})

    answer = shop.call.get("usage").json()

    assert answer["totals"] == {"chat_message": 1, "recommendation": 3}
    today = timezone.now().date().isoformat()
    assert {line["day"] for line in answer["lines"]} == {today}
    by_second = {
        line["kind"]: line["units"] for line in answer["lines"] if line["api_key"] == issued["id"]
    }
    assert by_second == {"recommendation": 2}


def test_free_calls_are_not_counted(shop) -> None:
    shop.call.post("items", [{"id": "1", "title": "tea"}])
    shop.call.post("events", [{"customer": "c", "item": "1"}])
    shop.call.get("items")
    shop.call.post("recommendations", {"limit": 0})  # refused
    assert totals(shop) == {}


def test_days_are_days_of_utc_both_included(shop) -> None:
    times = {
        "before": datetime(2026, 2, 28, 23, 59, 59, 999999, UTC),
        "first": datetime(2026, 3, 1, tzinfo=UTC),
        "last": datetime(2026, 3, 31, 23, 59, 59, 999999, UTC),
        "after": datetime(2026, 4, 1, tzinfo=UTC),
    }
    with shop.scope():
        UsageRecord.objects.bulk_create(
            [UsageRecord(key=key, kind="recommendation", at=at) for key, at in times.items()]
        )
        lines = usage.by_day(date(2026, 3, 1), date(2026, 3, 31))
    assert [(line.day, line.units) for line in lines] == [
        (date(2026, 3, 1), 1),
        (date(2026, 3, 31), 1),
    ]
    shown = shop.call.get("usage?first=2026-03-01&last=2026-03-31").json()
    assert shown["totals"] == {"recommendation": 2}


@pytest.mark.parametrize(
    "query",
    [
        "first=2026-03-02&last=2026-03-01",
        "first=2025-01-01&last=2026-12-31",
        "first=yesterday",
        "first=0001-01-01",
        "last=9999-12-31",
        "from=2026-03-01",
    ],
)
def test_a_span_that_makes_no_sense_is_refused(query: str, shop) -> None:
    answer = shop.call.get(f"usage?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_year_is_shown_at_once(shop) -> None:
    last = timezone.now().date()
    first = last - timedelta(days=366)
    assert shop.call.get(f"usage?first={first}&last={last}").status_code == 200
