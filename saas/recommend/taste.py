"""What a customer did and was shown, and the order that suits them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from saas.recommend import customers
from saas.recommend.assortment import Catalog, Limits, offer
from saas.training import store
from tenants.scope import query, query_together

if TYPE_CHECKING:
    from ml.types import Event

NEWEST = 100
HISTORY = f"""
    SELECT item, kind, value, extract(epoch FROM at)::float8 AS at FROM recommend_event
    WHERE tenant_id = %(tenant)s AND customer = ({customers.WHO}) AND kind <> 'impression'
    ORDER BY recommend_event.at DESC LIMIT {NEWEST}"""  # noqa: S608  (made of constants)
BOUGHT = 1_000
RECENT, RECENT_ANSWERS = timedelta(days=14), 20


def history(customer: str) -> list[Event]:
    """The newest events of a customer, or of who that is by now, the oldest of them first: what was
    sent a moment ago counts.

    That something was shown to them is nothing they did.
    """
    (found,) = query_together(HISTORY, customer=customer)
    return read(customer, found)


def read(customer: str, found: Sequence[Mapping[str, Any]]) -> list[Event]:
    """The same, of what HISTORY has found."""
    from ml.types import Event

    return [Event(customer=customer, **row) for row in reversed(found)]


def bought(customer: str) -> set[str]:
    """What the customer bought, however long ago."""
    rows = query(
        """SELECT DISTINCT item FROM recommend_event
           WHERE tenant_id = %(tenant)s AND customer = %(customer)s AND kind = 'buy'
           LIMIT %(most)s""",
        customer=customer,
        most=BOUGHT,
    )
    return {item for (item,) in rows}


def shown(customer: str, scenario: str) -> Counter[str]:
    """How often each item was in the customer's recent answers of a scenario."""
    rows = query(
        """SELECT items FROM recommend_recommendation
           WHERE tenant_id = %(tenant)s AND customer = %(customer)s AND scenario = %(scenario)s
             AND at > %(since)s ORDER BY at DESC LIMIT %(most)s""",
        customer=customer,
        scenario=scenario,
        since=timezone.now() - RECENT,
        most=RECENT_ANSWERS,
    )
    return Counter(pick[0] for (items,) in rows for pick in json.loads(items))


def ordered(
    items: Sequence[str], past: Sequence[Event], *, of: Catalog, live: store.Serving
) -> list[str]:
    """Available ones of these items in the order that suits who has this past; as they are without
    a model.
    """
    if live.version_id is None or not items:
        return list(items)
    found = live.model.recommend(
        past,
        now=timezone.now().timestamp(),
        k=len(items),
        offer=offer(of, live.version_id, Limits()).only(items),
    )
    return [pick.item for pick in found]
