"""The shelf of the demo page: recommendations, and the item that was clicked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from saas.billing import quota
from saas.billing.models import Kind
from saas.demo import words
from saas.demo.visitors import Visitor
from saas.errors import Problem
from saas.recommend import events, picks, reasons, taste
from saas.recommend.catalog import Listing
from saas.recommend.demand import Demand
from saas.recommend.models import Item

SIZE = 8
TRAIL = 3


@dataclass(frozen=True, slots=True)
class Blob:
    """A soft circle behind the category's sign: two items of a category do not look the same."""

    x: int
    y: int
    radius: int


@dataclass(frozen=True, slots=True)
class Card:
    """An item as the page shows it."""

    id: str
    title: str
    description: str
    price: str
    category: str
    sign: str
    blobs: list[Blob]
    reason: str = ""


def look(visitor: Visitor) -> None:
    """Store that the visitor looks at the item. Raises Problem where there is no such item."""
    if not Item.objects.filter(external_id=visitor.item).exists():
        raise Problem("There is no such item.", code="no_item")
    events.write([events.EventRow(customer=visitor.customer, item=visitor.item, kind="view")])


def looked_at(visitor: Visitor) -> Card | None:
    item = Item.objects.filter(external_id=visitor.item).defer("vector").first()
    if item is None:
        return None
    translated = item.translations.get(visitor.language, {})
    description = translated.get("description") or item.description
    return _card(item, visitor.language, description=description)


def trail(visitor: Visitor) -> list[str]:
    """Titles of what else the customer looked at lately, the latest first."""
    ids = [id_ for id_ in _seen(visitor) if id_ != visitor.item][:TRAIL]
    items = Item.objects.filter(external_id__in=ids).defer("vector", "description")
    titles = {item.external_id: reasons.title(item, visitor.language) for item in items}
    return [titles[id_] for id_ in ids if id_ in titles]


def serve(visitor: Visitor) -> list[Card]:
    """A shelf of recommendations, metered like one of the API. Raises QuotaExceeded."""
    answer = picks.recommend(
        Demand(
            customer=visitor.customer,
            limit=SIZE,
            language=visitor.language,
            scenario="demo",
            again=False,  # a click should bring something new
        )
    )
    quota.charge(Kind.RECOMMENDATION, key=f"recommendation:{answer.demand.id}", api_key=None)
    return [_card(choice.item, visitor.language, reason=choice.reason) for choice in answer.choices]


def money(amount: Decimal | None, currency: str) -> str:
    if amount is None:
        return ""
    return f"${amount:,.2f}" if currency == "USD" else f"{amount:,.2f} {currency}"


def _seen(visitor: Visitor) -> list[str]:
    """Items of the customer's history, the latest first."""
    return list(dict.fromkeys(e.item for e in reversed(taste.history(visitor.customer))))


def _card(item: Item | Listing, language: str, *, reason: str = "", description: str = "") -> Card:
    return Card(
        id=item.external_id,
        title=reasons.title(item, language),
        description=description,
        price=money(item.price, item.currency),
        category=words.category(item.category, language),
        sign=item.category if item.category in words.CATEGORIES else "other",
        blobs=_blobs(item.external_id),
        reason=reason,
    )


def _blobs(id_: str) -> list[Blob]:
    """Always the same for an item, on a ground of 160 x 96."""
    noise = hashlib.sha256(id_.encode()).digest()
    return [
        Blob(x=first * 160 // 255, y=second * 96 // 255, radius=24 + third * 32 // 255)
        for first, second, third in zip(noise[0:3], noise[3:6], noise[6:9], strict=True)
    ]
