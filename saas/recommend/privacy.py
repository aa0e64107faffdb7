"""What is kept of one customer: all of it handed out, or all of it erased."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from saas.recommend import customers
from saas.recommend.models import Customer, Event, Recommendation
from tenants import audit
from tenants.scope import current_tenant_id, tenant_scope

AT_ONCE = 2_000
EVENT = ("customer", "item", "kind", "name", "value", "quantity", "context", "recommendation", "at")
RECOMMENDATION = ("id", "customer", "kind", "scenario", "items", "at")


def export(customer: str, tenant_id: UUID) -> Iterator[bytes]:
    """One JSON object, piece by piece: attributes, merged ids, every event and every recommendation.

    Opens a scope of its own, as it runs when the request's is closed.
    """
    with tenant_scope(tenant_id):
        merged = customers.also(customer)
        row = Customer.objects.filter(external_id=customer).first()
        said = {"id": customer, "attributes": row.attributes if row else {}, "merged": merged}
        yield _json(said)[:-1]
        for name, model, shown in (
            ("events", Event, EVENT),
            ("recommendations", Recommendation, RECOMMENDATION),
        ):
            found = model.objects.filter(customer__in=[customer, *merged]).order_by("at", "pk")
            yield f', "{name}": ['.encode()
            yield from _listed(found.values(*shown).iterator(chunk_size=AT_ONCE))
            yield b"]"
        yield b"}"


def _listed(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    for place, row in enumerate(rows):
        yield (b", " if place else b"") + _json(row)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind are gone."""

    customers: int
    events: int
    recommendations: int
    conversations: int


def erase(customer: str, *, actor: str) -> Erased:
    """Delete all that is kept of a customer and of those merged into it. Done again, it finds nothing.

    The audit tells that it was done, and names the customer by a digest that only this server can
    make: who asks about an id can be answered, and who reads the audit learns none.
    """
    known = customers.resolve(customer)
    ids = [known, *customers.also(known)]
    rows = Customer.objects.filter(external_id__in=ids).delete()[0]
    events = Event.objects.filter(customer__in=ids).delete()[0]
    recommendations = Recommendation.objects.filter(customer__in=ids).delete()[0]
    talks = sum(import_string(erase)(id_) for erase in settings.ERASURES for id_ in ids)
    named = salted_hmac("customer.erased", f"{current_tenant_id()} {known}").hexdigest()[:32]
    audit.record(
        actor=actor,
        action="customer.erased",
        target=f"customer digest {named}",
        events=events,
        recommendations=recommendations,
        conversations=talks,
    )
    return Erased(rows, events, recommendations, talks)
