"""Monthly quotas: reserve before the work, settle with it. They fail closed.

The count and the check are one UPDATE, so parallel calls cannot pass the limit together. What a killed
process had reserved is given back by `release` once it expires.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from saas.billing import plans
from saas.billing.models import Price, Quota, Reservation
from saas.errors import QuotaExceeded
from tenants import statements
from tenants.scope import query, statement
from tenants.statements import Statement

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Hold:
    """Units set aside for work under way."""

    id: uuid.UUID
    quota_id: int
    units: int


def period_of(day: date) -> date:
    return day.replace(day=1)


def reserve(kind: str, units: int = 1) -> Hold:
    """Set units of this month aside; raises QuotaExceeded where they are not there."""
    hold_id = uuid.uuid4()
    text = f"""WITH quota AS ({COUNT.format(column="reserved")})
        INSERT INTO billing_reservation (tenant_id, id, quota_id, units, expires_at)
        SELECT %(tenant)s, %(hold)s, id, %(units)s, %(expires)s FROM quota
        RETURNING quota_id"""  # noqa: S608  (made of constants)
    expires = timezone.now() + LIFETIME
    return Hold(hold_id, _take(text, kind, units, hold=hold_id, expires=expires), units)


def spend(kind: str, units: int = 1) -> None:
    """Reserve and settle in one, for work that is done in the current transaction."""
    _take(COUNT.format(column="used"), kind, units)


def give_back(kind: str, *, since: date, units: int = 1) -> None:
    """Undo a `spend` of that day: what it was for did not come about."""
    Quota.objects.filter(kind=kind, period=period_of(since), used__gte=units).update(
        used=F("used") - units
    )


def charge(
    kind: str, *, key: str, api_key: uuid.UUID | None, work: Statement | None = None
) -> None:
    """`spend` one unit and record it as usage (usage.record), in one trip to the database: with
    `work`, what keeps what is charged for.
    """
    text = f"""WITH quota AS ({COUNT.format(column="used")})
        INSERT INTO billing_usagerecord (tenant_id, key, kind, units, api_key, at)
        SELECT %(tenant)s, %(key)s, %(kind)s, %(units)s, %(api_key)s, %(at)s FROM quota
        RETURNING id"""  # noqa: S608  (made of constants)
    _take(text, kind, 1, work, key=key, api_key=api_key, at=timezone.now())


# Check and count in one statement: parallel calls cannot pass the limit together.
COUNT = """UPDATE billing_quota SET {column} = {column} + %(units)s
    WHERE tenant_id = %(tenant)s AND period = %(period)s AND kind = %(kind)s
      AND used + reserved + %(units)s <= "limit"
    RETURNING id"""


def _take(text: str, kind: str, units: int, work: Statement | None = None, **more: Any) -> int:
    """Count units by a statement made of COUNT, after `work`; returns the id that it gives."""
    period = period_of(timezone.now().date())
    count = statement(text, kind=str(kind), period=period, units=units, **more)
    found = statements.run(*([work] if work else []), count)
    if not found:
        _open(kind, period)
        found = statements.run(count)
    if not found:
        limit = Quota.objects.values_list("limit", flat=True).get(kind=kind, period=period)
        raise QuotaExceeded(
            f"The plan's limit of {limit:,} a month for {kind} is reached. "
            "Change the plan, or go on next month."
        )
    quota_id: int = found[0][0]
    return quota_id


def _open(kind: str, period: date) -> None:
    """Start the month of this kind with the plan's limit, unless it has been started."""
    try:
        limit = plans.current().prices.get(kind=kind).limit
    except Price.DoesNotExist:
        limit = 0
    Quota.objects.bulk_create([Quota(kind=kind, period=period, limit=limit)], ignore_conflicts=True)


def settle(hold: Hold) -> None:
    """Count the held units as used, in the transaction of the work itself.

    Where the reservation has expired meanwhile, its units have been given back already.
    """
    query(
        """WITH held AS (
               DELETE FROM billing_reservation WHERE tenant_id = %(tenant)s AND id = %(hold)s
               RETURNING units)
           UPDATE billing_quota SET used = used + %(units)s,
               reserved = reserved - coalesce((SELECT units FROM held), 0)
           WHERE tenant_id = %(tenant)s AND id = %(quota)s""",
        hold=hold.id,
        quota=hold.quota_id,
        units=hold.units,
    )


def cancel(hold: Hold) -> None:
    """Give the held units back: the work was not done."""
    deleted, _ = Reservation.objects.filter(id=hold.id).delete()
    if deleted:
        Quota.objects.filter(id=hold.quota_id).update(reserved=F("reserved") - hold.units)


def release() -> int:
    """Give back what expired reservations of the current tenant hold; returns how many there were."""
    expired = list(
        Reservation.objects.select_for_update(skip_locked=True).filter(
            expires_at__lt=timezone.now()
        )
    )
    for reservation in expired:
        cancel(Hold(reservation.id, reservation.quota_id, reservation.units))
    return len(expired)
