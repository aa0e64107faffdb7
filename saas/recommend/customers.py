"""Customers: what a tenant says of them, and which anonymous ones are known by now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min
from pydantic import Field

from saas import rows
from saas.errors import Conflict, Problem
from saas.recommend.attributes import Attributes
from saas.recommend.models import Customer, Event, Recommendation
from tenants.scope import query

SESSION = "session:"  # what an anonymous customer's id begins with


class CustomerRow(rows.Row):
    id: rows.Identifier
    attributes: Attributes = Field(
        default={}, description="Your own fields: texts, numbers, true or false, lists of texts"
    )


# Of the one customer that a statement is about: who that is, in `customer`.
WHO = """
    SELECT coalesce((SELECT merged_into FROM recommend_customer WHERE tenant_id = %(tenant)s
                     AND external_id = %(customer)s AND merged_into <> ''), %(customer)s)
           AS customer"""


def resolve(customer: str) -> str:
    """Who that is: the known customer where an anonymous one was merged, else the same."""
    return _moved([customer]).get(customer, customer)


def also(customer: str) -> list[str]:
    """The anonymous ids that were merged into a customer."""
    found = Customer.objects.filter(merged_into=customer).order_by("external_id")
    return list(found.values_list("external_id", flat=True))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer, by whatever id one asks."""

    id: str
    attributes: dict[str, Any]
    merged: list[str]
    events: int
    first_event_at: datetime | None
    last_event_at: datetime | None


def find(customer: str) -> Known:
    """Raises Customer.DoesNotExist where nothing is kept of a customer."""
    known = resolve(customer)
    row = Customer.objects.filter(external_id=known).first()
    merged = also(known)
    seen = Event.objects.filter(customer=known).aggregate(
        events=Count("id"), first_event_at=Min("at"), last_event_at=Max("at")
    )
    shown = Recommendation.objects.filter(customer=known)
    if row is None and not merged and not seen["events"] and not shown.exists():
        raise Customer.DoesNotExist
    return Known(known, row.attributes if row else {}, merged, **seen)


def merge(customer: str, *, anonymous: str) -> None:
    """An anonymous customer is this known one, from its first event on. Done again, it changes nothing.

    Raises Conflict where it was merged into another one before.
    """
    known = resolve(customer)
    if anonymous == known:
        raise Problem("A customer cannot be merged into itself. Send the anonymous id.")
    settle({anonymous: known})
    settled = _moved([anonymous, known])
    if settled.get(anonymous, anonymous) != settled.get(known, known):
        raise Conflict(
            "This anonymous customer was merged into another one before.", code="merged_before"
        )


def write(given: Sequence[CustomerRow]) -> list[rows.Status]:
    """Store what is known of customers; of an anonymous id it counts for who that is by now."""
    moved = _moved([row.id for row in given])
    return rows.upsert(
        Customer,
        [{"external_id": moved.get(row.id, row.id), "attributes": row.attributes} for row in given],
        key="external_id",
        compare=("attributes",),
    )


def settle(links: Mapping[str, str]) -> None:
    """Merge anonymous customers into known ones (links).

    An anonymous customer stays who it was first merged into. Until the transaction ends nobody else
    merges, so that no event comes in for an id that was moved away meanwhile.
    """
    if set(links) - set(_moved(links)):
        query("SELECT pg_advisory_xact_lock(hashtextextended('customers' || %(tenant)s, 0))")
        moved = _moved({*links, *links.values()})
        fresh = {
            anonymous: moved.get(known, known)
            for anonymous, known in links.items()
            if anonymous not in moved and moved.get(known, known) != anonymous
        }
        _merge(fresh)
    else:
        query("SELECT pg_advisory_xact_lock_shared(hashtextextended('customers' || %(tenant)s, 0))")


def _moved(ids: Collection[str]) -> dict[str, str]:
    """Those of the ids that were merged, and into whom."""
    if not ids:
        return {}
    return dict(
        query(
            """SELECT external_id, merged_into FROM recommend_customer
               WHERE tenant_id = %(tenant)s AND external_id = ANY(%(ids)s) AND merged_into <> ''""",
            ids=sorted(ids),
        )
    )


def _merge(known: Mapping[str, str]) -> None:
    """Make anonymous ids those of known customers: events, recommendations, attributes, and ids that
    were merged into them before.
    """
    if not known:
        return
    pairs = {"anonymous": list(known), "known": list(known.values())}
    _take_over_attributes(known)
    query(
        """INSERT INTO recommend_customer
               (tenant_id, external_id, attributes, merged_into, created_at)
           SELECT %(tenant)s, anonymous, '{}', known, now()
           FROM unnest(%(anonymous)s, %(known)s) AS pair (anonymous, known) ORDER BY anonymous
           ON CONFLICT (tenant_id, external_id)
           DO UPDATE SET merged_into = excluded.merged_into, attributes = '{}'""",
        **pairs,
    )
    for table, column in MOVED:
        query(
            f"""UPDATE {table} SET {column} = known
                FROM unnest(%(anonymous)s, %(known)s) AS pair (anonymous, known)
                WHERE tenant_id = %(tenant)s AND {column} = anonymous""",  # noqa: S608
            **pairs,
        )


MOVED = (
    ("recommend_customer", "merged_into"),
    ("recommend_event", "customer"),
    ("recommend_recommendation", "customer"),
)


def _take_over_attributes(known: Mapping[str, str]) -> None:
    """What is said of an anonymous customer holds for the known one, below what is said of that."""
    said = Customer.objects.filter(external_id__in=known).exclude(attributes={})
    for anonymous in said.order_by("external_id"):
        customer, _ = Customer.objects.get_or_create(external_id=known[anonymous.external_id])
        customer.attributes = anonymous.attributes | customer.attributes
        customer.save(update_fields=["attributes"])


KIND = rows.Kind(name="customers", form=CustomerRow, write=write)
