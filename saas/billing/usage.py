"""What was served: records written with the work, summed by the hour, read by day, kind and key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from saas.billing.models import RollUp, UsageHour, UsageRecord
from tenants.scope import query

# A record is written at the end of its transaction; none of them lasts this long.
SETTLING = timedelta(minutes=15)


class Line(NamedTuple):
    day: date
    kind: str
    api_key: UUID | None
    units: int


def record(*, key: str, kind: str, api_key: UUID | None, units: int = 1) -> None:
    """Count one served piece of work in the current transaction; the same key counts once."""
    query(
        """INSERT INTO billing_usagerecord (tenant_id, key, kind, units, api_key, at)
           VALUES (%(tenant)s, %(key)s, %(kind)s, %(units)s, %(api_key)s, %(at)s)
           ON CONFLICT DO NOTHING""",
        key=key,
        kind=str(kind),
        units=units,
        api_key=api_key,
        at=timezone.now(),
    )


def roll_up(now: datetime | None = None) -> int:
    """Sum the current tenant's closed hours; returns how many sums were written. Repeatable."""
    through = (now or timezone.now()) - SETTLING
    through = through.replace(minute=0, second=0, microsecond=0)
    done = RollUp.objects.select_for_update().first()
    since = done.through if done else datetime.min.replace(tzinfo=UTC)
    if since >= through:
        return 0
    sums = (
        UsageRecord.objects.filter(at__gte=since, at__lt=through)
        .annotate(hour=TruncHour("at", tzinfo=UTC))
        .values_list("hour", "kind", "api_key")
        .annotate(units=Sum("units"))
        .order_by()
    )
    hours = [UsageHour(hour=h, kind=kind, api_key=key, units=units) for h, kind, key, units in sums]
    UsageHour.objects.bulk_create(hours, batch_size=1000)
    RollUp.objects.update_or_create(defaults={"through": through})
    return len(hours)


def by_day(first: date, last: date) -> list[Line]:
    """Units by day, kind and key from `first` to `last`, both included: sums and open hours."""
    start = datetime.combine(first, time.min, UTC)
    end = datetime.combine(last + timedelta(days=1), time.min, UTC)
    done = RollUp.objects.first()
    border = min(max(done.through if done else start, start), end)
    totals: Counter[tuple[date, str, UUID | None]] = Counter()
    _add(
        totals,
        UsageHour.objects.filter(hour__gte=start, hour__lt=border).values_list(
            "hour", "kind", "api_key", "units"
        ),
    )
    _add(
        totals,
        UsageRecord.objects.filter(at__gte=border, at__lt=end).values_list(
            "at", "kind", "api_key", "units"
        ),
    )
    ordered = sorted(totals.items(), key=lambda pair: tuple(map(str, pair[0])))
    return [Line(*key, units) for key, units in ordered]


def _add(
    totals: Counter[tuple[date, str, UUID | None]],
    rows: Iterable[tuple[datetime, str, UUID | None, int]],
) -> None:
    for at, kind, api_key, units in rows:
        totals[(at.astimezone(UTC).date(), kind, api_key)] += units
