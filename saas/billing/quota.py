"""Monthly quotas: reserve before the work, settle with it. They fail closed.

The count and the check are one UPDATE, so parallel calls cannot pass the limit together. What a killed
process had reserved is given back by `release` once it expires.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone
from psycopg2 import sql

from saas.billing import plans
from saas.billing.models import Price, Quota, Reservation
from saas.errors import QuotaExceeded
from tenants.scope import current_tenant_id

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
    quota_id = _take("reserved", kind, units)
    hold = Hold(uuid.uuid4(), quota_id, units)
    Reservation.objects.create(
        id=hold.id, quota_id=quota_id, units=units, expires_at=timezone.now() + LIFETIME
    )
    return hold


def spend(kind: str, units: int = 1) -> None:
    """Reserve and settle in one, for work that is done in the current transaction."""
    _take("used", kind, units)


def give_back(kind: str, *, since: date, units: int = 1) -> None:
    """Undo a `spend` of that day: what it was for did not come about."""
    Quota.objects.filter(kind=kind, period=period_of(since), used__gte=units).update(
        used=F("used") - units
    )


def _take(column: str, kind: str, units: int) -> int:
    period = period_of(timezone.now().date())
    quota_id = _raise_count(column, kind, period, units)
    if quota_id is None:
        _open(kind, period)
        quota_id = _raise_count(column, kind, period, units)
    if quota_id is None:
        limit = Quota.objects.values_list("limit", flat=True).get(kind=kind, period=period)
        raise QuotaExceeded(
            f"The plan's limit of {limit:,} a month for {kind} is reached. "
            "Change the plan, or go on next month."
        )
    return quota_id


def _raise_count(column: str, kind: str, period: date, units: int) -> int | None:
    """Check and count in one statement: parallel calls cannot pass the limit together."""
    statement = sql.SQL(
        """UPDATE billing_quota SET {column} = {column} + %(units)s
           WHERE tenant_id = %(tenant)s AND period = %(period)s AND kind = %(kind)s
             AND used + reserved + %(units)s <= "limit"
           RETURNING id"""
    ).format(column=sql.Identifier(column))
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {"units": units, "tenant": current_tenant_id(), "period": period, "kind": kind},
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _open(kind: str, period: date) -> None:
    """Start the month of this kind with the plan's limit, unless it has been started."""
    try:
        limit = plans.current().prices.get(kind=kind).limit
    except Price.DoesNotExist:
        limit = 0
    Quota.objects.bulk_create([Quota(kind=kind, period=period, limit=limit)], ignore_conflicts=True)


def settle(hold: Hold) -> None:
    """Count the held units as used, in the transaction of the work itself."""
    deleted, _ = Reservation.objects.filter(id=hold.id).delete()
    # Where the reservation had expired meanwhile, its units have been given back already.
    reserved = hold.units if deleted else 0
    Quota.objects.filter(id=hold.quota_id).update(
        used=F("used") + hold.units, reserved=F("reserved") - reserved
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
