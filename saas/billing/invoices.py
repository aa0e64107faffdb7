"""The bill of a month, computed from its usage in exact decimals."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from saas.billing import plans, usage
from saas.billing.models import Plan

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class BillLine:
    kind: str
    units: int
    included: int
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Bill:
    """What a month costs so far; amounts in `currency`, rounded to the cent line by line."""

    plan: str
    currency: str
    period: date
    monthly_fee: Decimal
    lines: list[BillLine]

    @property
    def total(self) -> Decimal:
        return self.monthly_fee + sum((line.amount for line in self.lines), Decimal(0))


def running(period: date) -> Bill:
    """The current tenant's bill for the month that begins on `period`, as it stands now."""
    last = period.replace(day=calendar.monthrange(period.year, period.month)[1])
    units: Counter[str] = Counter()
    for line in usage.by_day(period, last):
        units[line.kind] += line.units
    return price(units, plans.current(), period)


def price(units: Counter[str], plan: Plan, period: date) -> Bill:
    """Units by kind, priced by a plan."""
    lines = []
    for entry in plan.prices.all():
        used = units[entry.kind]
        billable = max(0, used - entry.included)
        amount = (billable * entry.unit_price).quantize(CENT, rounding=ROUND_HALF_EVEN)
        lines.append(BillLine(entry.kind, used, entry.included, entry.unit_price, amount))
    return Bill(plan.code, plan.currency, period, plan.monthly_fee, lines)
