"""What customers did: views, clicks, carts, purchases, ratings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from django.utils import timezone
from pydantic import AfterValidator, Field

from saas import rows
from saas.recommend.models import Event

CLOCK_SKEW = timedelta(days=1)


def _not_future(value: datetime) -> datetime:
    if value > timezone.now() + CLOCK_SKEW:
        raise ValueError("The time lies in the future. Send when it happened, in UTC")
    if value.year < 1990:
        raise ValueError("The time lies before 1990. Send when it happened, in UTC")
    return value


class EventRow(rows.Row):
    customer: rows.Identifier = Field(description="Your own id of the customer")
    item: rows.Identifier = Field(description="The item's id; it may come to the catalog later")
    kind: Literal["view", "click", "cart", "buy", "rate"] = "view"
    value: float = Field(
        default=1.0, ge=0, le=1e9, allow_inf_nan=False, description="A rating, or a quantity"
    )
    at: Annotated[rows.Moment, AfterValidator(_not_future)] = Field(
        default_factory=timezone.now, description="When it happened; now where it is not given"
    )


def digest(row: EventRow) -> str:
    """The same for an event that is sent twice."""
    parts = (row.customer, row.item, row.kind, row.at.isoformat(), repr(row.value))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def write(given: Sequence[EventRow]) -> list[rows.Status]:
    """Store events; one that is there already is left as it is."""
    return rows.upsert(
        Event,
        [{"digest": digest(row), **row.model_dump()} for row in given],
        key="digest",
        compare=(),
    )


KIND = rows.Kind(
    name="events",
    form=EventRow,
    write=write,
    aliases={"user": "customer", "item_id": "item", "event": "kind", "time": "at"},
)
