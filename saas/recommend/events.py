"""What customers did: views, clicks, carts, purchases, ratings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from django.utils import timezone
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from saas import rows
from saas.recommend.models import Event

CLOCK_SKEW = timedelta(days=1)


def _as_utc(value: object) -> object:
    """A time without a zone is UTC: what exports of databases usually hold."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


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
    at: Annotated[AwareDatetime, BeforeValidator(_as_utc), AfterValidator(_not_future)] = Field(
        default_factory=timezone.now, description="When it happened; now where it is not given"
    )


def digest(row: EventRow) -> str:
    """The same for an event that is sent twice."""
    parts = (row.customer, row.item, row.kind, row.at.astimezone(UTC).isoformat(), repr(row.value))
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
