"""The usage counter of the demo page: this month's units and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from saas.billing import invoices, quota
from saas.demo import words
from saas.demo.shelf import money


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    units: int
    amount: str


@dataclass(frozen=True, slots=True)
class Counter:
    period: date
    lines: list[Line]
    total: str
    currency: str


def read(language: str) -> Counter:
    """The current tenant's month, as `GET /v1/bill` tells it."""
    names = words.TEXT[language]["units"]
    bill = invoices.running(quota.period_of(timezone.now().date()))
    return Counter(
        period=bill.period,
        lines=[
            Line(names.get(line.kind, line.kind), line.units, money(line.amount, bill.currency))
            for line in bill.lines
        ],
        total=money(bill.total, bill.currency),
        currency=bill.currency,
    )
