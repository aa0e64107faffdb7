"""The API of metering: usage and the running bill."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field, model_validator
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, View
from saas.billing import invoices, quota, usage


class UsageQuery(Body):
    """Days in UTC, both included; this month where they are not given."""

    first: date = Field(default_factory=lambda: quota.period_of(timezone.now().date()))
    last: date = Field(default_factory=lambda: timezone.now().date())

    @model_validator(mode="after")
    def ordered(self) -> UsageQuery:
        if not 0 <= (self.last - self.first).days <= 366 or self.last.year > 9000:
            raise ValueError("last must be on or after first, at most 366 days later")
        return self


class UsageLine(BaseModel):
    day: date
    kind: Literal["chat_message", "recommendation", "training_run"]
    api_key: UUID | None
    units: int


class UsageOut(BaseModel):
    first: date
    last: date
    lines: list[UsageLine]
    totals: dict[str, int]


class Usage(View):
    scopes = {"GET": "usage:read"}

    @extend_schema(operation_id="get_usage", parameters=[UsageQuery], responses={200: UsageOut})
    def get(self, request: Request) -> Response:
        """What was served, by day, kind and key."""
        query = self.query(UsageQuery)
        lines = [UsageLine(**line._asdict()) for line in usage.by_day(query.first, query.last)]
        totals: dict[str, int] = {}
        for line in lines:
            totals[line.kind] = totals.get(line.kind, 0) + line.units
        return self.answer(UsageOut(first=query.first, last=query.last, lines=lines, totals=totals))


class BillQuery(Body):
    month: str = Field(
        default_factory=lambda: f"{timezone.now():%Y-%m}",
        pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$",
        description="YYYY-MM; the running month where it is not given",
    )


class BillLine(BaseModel):
    kind: str
    units: int
    included: int
    unit_price: Decimal
    amount: Decimal


class BillOut(BaseModel):
    """Amounts are exact decimals, rounded to the cent line by line."""

    plan: str
    currency: str
    period: date
    monthly_fee: Decimal
    lines: list[BillLine]
    total: Decimal


class Bill(View):
    scopes = {"GET": "usage:read"}

    @extend_schema(operation_id="get_bill", parameters=[BillQuery], responses={200: BillOut})
    def get(self, request: Request) -> Response:
        """The bill of a month as it stands now, computed from its usage."""
        month = self.query(BillQuery).month
        bill = invoices.running(date.fromisoformat(f"{month}-01"))
        return self.answer(BillOut.model_validate(bill, from_attributes=True))
