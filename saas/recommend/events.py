"""What customers did: views, clicks, carts, purchases, ratings and the rest of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from pydantic import AfterValidator, Field, model_validator

from saas import rows
from saas.recommend import arrivals, customers
from saas.recommend.attributes import Context
from saas.recommend.customers import SESSION
from saas.recommend.models import Event
from tenants import audit

CLOCK_SKEW = timedelta(days=1)
LARGEST = 1e9


def _not_future(value: datetime) -> datetime:
    if value > timezone.now() + CLOCK_SKEW:
        raise ValueError("The time lies in the future. Send when it happened, in UTC")
    if value.year < 1990:
        raise ValueError("The time lies before 1990. Send when it happened, in UTC")
    return value


Kind = Literal["impression", "view", "click", "cart", "buy", "rate", "share", "comment", "custom"]


class EventRow(rows.Row):
    customer: rows.Identifier | None = Field(
        default=None,
        description="Your own id of the customer; left out where only a session is known",
    )
    session: Annotated[str, Field(min_length=1, max_length=120, pattern=rows.NAME)] | None = Field(
        default=None,
        description="A visit whose customer is not known (yet): alone it stands for the anonymous "
        "customer `session:<id>`; with a customer, that one's past and future are the customer's",
    )
    item: rows.Identifier = Field(description="The item's id; it may come to the catalog later")
    kind: Kind = "view"
    name: str = Field(
        default="",
        max_length=60,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Of a custom event: what it is called",
    )
    value: float = Field(
        default=1.0,
        ge=0,
        le=LARGEST,
        allow_inf_nan=False,
        description="A rating, or what it was worth",
    )
    quantity: float = Field(
        default=1.0, ge=0, le=LARGEST, allow_inf_nan=False, description="How many or how much"
    )
    context: Context = Field(
        default={},
        description="Your own fields, such as the page or device. In a file: columns such as "
        "context.page, or one cell of JSON",
    )
    recommendation: UUID | None = Field(
        default=None, description="The recommendation_id of the answer that led to it"
    )
    at: Annotated[rows.Moment, AfterValidator(_not_future)] = Field(
        default_factory=timezone.now, description="When it happened; now where it is not given"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.customer is None and self.session is None:
            raise ValueError("Must have a customer, a session, or both")
        if self.session and self.customer and self.customer.startswith(SESSION):
            raise ValueError("With a session, the customer must not be a session itself")
        if self.kind == "custom" and not self.name:
            raise ValueError("A custom event must have a name")
        return self


WORDS: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "",
    str: str,
    float: repr,
    datetime: datetime.isoformat,
    dict: lambda value: json.dumps(value, ensure_ascii=False),
    UUID: str,
}


WORDED = (
    *("customer", "session", "item", "kind", "name", "value", "quantity", "context"),
    *("recommendation", "at"),
)


def word(value: Any) -> str:
    """A field of an event as the database takes it."""
    return WORDS[type(value)](value)


def line(
    customer: str,
    session: str,
    item: str,
    kind: str,
    name: str,
    value: str,
    quantity: str,
    context: str,
    recommendation: str,
    at: str,
) -> arrivals.Line:
    """An event of its words, of which "" is none."""
    anonymous = SESSION + session if session else ""
    whom = customer or anonymous
    # The digest is the same for an event that is sent twice. What came later to events counts only
    # where it is given, so that events from before keep theirs.
    told = f"{whom}\0{item}\0{kind}\0{at}\0{value}"
    if name or recommendation or quantity != "1.0":
        told += f"\0{name}\0{quantity}\0{recommendation}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:32]  # the 128 bits of a UUID
    text = "\t".join((item, kind, name, value, quantity, context, recommendation, at))
    return digest, whom, text, anonymous if customer else ""


def line_of(row: EventRow) -> arrivals.Line:
    return line(*(word(getattr(row, name)) for name in WORDED))


def write(given: Sequence[EventRow]) -> list[rows.Status]:
    """Store events; one that is there already is left as it is."""
    return arrivals.store([line_of(row) for row in given])


def chosen(
    *,
    customer: str | None = None,
    item: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[Event]:
    """The events of a customer, of an item, of a kind, from a time on and before another."""
    wanted = {
        "customer": customers.resolve(customer) if customer else None,
        **{"item": item, "kind": kind, "at__gte": since, "at__lt": until},
    }
    found: QuerySet[Event] = Event.objects.filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    return found


def remove(found: QuerySet[Event], *, actor: str) -> int:
    """Delete events; returns how many there were. The next training does not know them."""
    count: int = found.delete()[0]
    if count:
        audit.record(actor=actor, action="events.deleted", count=count)
    return count


KIND = rows.Kind(
    name="events",
    form=EventRow,
    write=write,
    aliases={
        **{"user": "customer", "user_id": "customer", "customer_id": "customer"},
        **{"session_id": "session", "item_id": "item", "event": "kind", "event_type": "kind"},
        **{"time": "at", "timestamp": "at", "recommendation_id": "recommendation"},
    },
    either=("customer", "session"),
)
