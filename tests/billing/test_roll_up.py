"""The hourly sums: usage reads the same before and after, whenever they are made."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.billing import tasks, usage
from saas.billing.models import RollUp, UsageHour, UsageRecord

START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = (date(2026, 3, 1), date(2026, 3, 31))
KEYS = [None, UUID(int=1), UUID(int=2)]

records = st.lists(
    st.tuples(
        st.integers(0, 4 * 24 * 60),  # minutes since START
        st.sampled_from(["chat_message", "recommendation"]),
        st.sampled_from(KEYS),
        st.integers(1, 1000),
    ),
    max_size=30,
)


def write(*rows: tuple[int, str, UUID | None, int]) -> None:
    UsageRecord.objects.bulk_create(
        [
            UsageRecord(
                key=str(uuid4()),
                kind=kind,
                api_key=key,
                units=units,
                at=START + timedelta(minutes=minute),
            )
            for minute, kind, key, units in rows
        ]
    )


def test_closed_hours_are_summed_by_kind_and_key(shop) -> None:
    with shop.scope():
        write(
            (0, "chat_message", None, 1),
            (59, "chat_message", None, 2),
            (59, "chat_message", KEYS[1], 4),
            (60, "recommendation", None, 8),
            (120, "recommendation", None, 16),
        )
        written = usage.roll_up(START + timedelta(minutes=120 + 15))
        hours = UsageHour.objects.order_by("hour", "units").values_list("hour", "kind", "units")
        assert written == 3
        assert list(hours) == [
            (START, "chat_message", 3),
            (START, "chat_message", 4),
            (START + timedelta(hours=1), "recommendation", 8),
        ]


def test_an_hour_is_closed_a_quarter_past(shop) -> None:
    with shop.scope():
        write((30, "chat_message", None, 1))
        assert usage.roll_up(START + timedelta(minutes=74)) == 0
        assert usage.roll_up(START + timedelta(minutes=75)) == 1


def test_again_changes_nothing(shop) -> None:
    now = START + timedelta(hours=5)
    with shop.scope():
        write((30, "chat_message", None, 1))
        assert [usage.roll_up(now) for _ in range(3)] == [1, 0, 0]
        assert usage.roll_up(now - timedelta(hours=2)) == 0
        assert UsageHour.objects.get().units == 1
        assert RollUp.objects.get().through == START + timedelta(hours=4)


def test_every_tenant_has_its_turn(shop, bank) -> None:
    for business in (shop, bank):
        with business.scope():
            write((30, "chat_message", None, 1))
    tasks.roll_up()
    for business in (shop, bank):
        with business.scope():
            assert UsageHour.objects.get().units == 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    batches=st.lists(st.tuples(records, st.integers(0, 5 * 24)), max_size=4),
    span=st.tuples(st.integers(0, 5), st.integers(0, 5)).map(sorted),
)
def test_usage_reads_the_same_whenever_it_is_summed(shop, batches, span) -> None:
    first, last = (START.date() + timedelta(days=day) for day in span)
    expected: Counter[tuple[date, str, UUID | None]] = Counter()
    point, summed = transaction.savepoint(), START
    with shop.scope():
        for rows, hours in batches:
            # What is served lies after the hours that are closed.
            rows = [row for row in rows if START + timedelta(minutes=row[0]) >= summed]
            write(*rows)
            for minute, kind, key, units in rows:
                day = (START + timedelta(minutes=minute)).date()
                if first <= day <= last:
                    expected[(day, kind, key)] += units
            assert {line[:3]: line.units for line in usage.by_day(first, last)} == expected
            now = START + timedelta(hours=hours, minutes=20)
            usage.roll_up(now)
            summed = max(summed, START + timedelta(hours=hours))
            assert {line[:3]: line.units for line in usage.by_day(first, last)} == expected
    transaction.savepoint_rollback(point)
