"""Recommendations: history as it is now, candidates, ranking, filters, reasons."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from saas import engine
from saas.recommend import catalog, customers, robots
from saas.recommend.catalog import Listing
from saas.recommend.models import Event, Item
from saas.training import store
from tenants.scope import current_tenant_id, query

if TYPE_CHECKING:
    from ml.recommend import Offer

HISTORY = 100
OFFERS = 256
POPULAR_DAYS = timedelta(days=28)
REASONS = {
    "behaviour": {"en": "Because of your interest in “{}”", "zh": "因为您看过“{}”"},
    "text": {"en": "Similar to “{}”", "zh": "与“{}”相似"},
    "again": {
        "en": "You know this one: perhaps it is time for it again",
        "zh": "您熟悉的商品，或许又用得上",
    },
    "popular": {"en": "Popular right now", "zh": "近期热门"},
    "new": {"en": "New in the shop", "zh": "新品"},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An item to show, and why."""

    item: Listing
    score: float
    source: str
    because: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An item id with its score, before its row is read."""

    item: str
    score: float
    source: str
    because: str | None = None


def recommend(
    *,
    customer: str | None,
    k: int,
    language: str,
    category: str | None = None,
    exclude: Sequence[str] = (),
    again: bool = True,
) -> tuple[list[Choice], UUID | None]:
    """The k best available items for a customer and the version that chose them.

    Without `again` the items of the customer's history are left out.

    Never empty while the catalog has an item that fits: without a model, or where the model has
    nothing, what is popular goes first and what is new after it.
    """
    encoder = engine.fingerprint()
    live = store.serving("recommend", rows=catalog.NAME, encoder=encoder)
    shelf = catalog.shelf(encoder, live.revision)
    seen = history(customer) if customer else []
    excluded = set(exclude) | (set() if again else {event.item for event in seen})
    shown: list[Shown] = []
    if live.version_id is not None:
        picks = live.model.recommend(
            seen,
            now=timezone.now().timestamp(),
            k=k,
            offer=_offer(
                *(current_tenant_id(), live.version_id, live.revision, shelf.phase),
                *(encoder, category),
            ),
            exclude=excluded,
        )
        shown = [Shown(pick.item, pick.score, pick.source, pick.because) for pick in picks]
    if len(shown) < k:
        shown += _without_model(
            shelf.of(category) - excluded - {entry.item for entry in shown}, k - len(shown)
        )
    return _explain(shown, shelf, language), live.version_id


def ordered(items: Sequence[str], *, customer: str) -> list[str]:
    """Some available items in the order that suits a customer, by the live version; as they are without."""
    encoder = engine.fingerprint()
    live = store.serving("recommend", rows=catalog.NAME, encoder=encoder)
    if live.version_id is None or not items:
        return list(items)
    phase = catalog.shelf(encoder, live.revision).phase
    offer = _offer(current_tenant_id(), live.version_id, live.revision, phase, encoder, None)
    found = live.model.recommend(
        history(customer) if customer else [],
        now=timezone.now().timestamp(),
        k=len(items),
        offer=offer.only(items),
    )
    return [pick.item for pick in found]


@functools.lru_cache(maxsize=OFFERS)
def _offer(
    tenant_id: UUID,
    version_id: UUID,
    revision: int,
    phase: int,
    encoder: str,
    category: str | None,
) -> Offer:
    """What a version may recommend of one state of the catalog: the same for all customers."""
    shelf = catalog.shelf(encoder, revision)
    model = store.load("recommend", version_id)
    offer: Offer = model.offer(allowed=shelf.of(category), extra=(shelf.vector_ids, shelf.vectors))
    return offer


def history(customer: str) -> list[Any]:
    """The customer's newest events, the oldest of them first: what was sent a moment ago counts."""
    from ml.types import Event as Seen

    rows = query(
        """SELECT item, kind, value, at FROM recommend_event
           WHERE tenant_id = %(tenant)s AND customer = %(customer)s AND kind <> 'impression'
           ORDER BY at DESC LIMIT %(most)s""",
        customer=customers.resolve(customer),
        most=HISTORY,
    )
    return [Seen(customer, item, kind, value, at.timestamp()) for item, kind, value, at in rows][
        ::-1
    ]


def _without_model(allowed: frozenset[str], k: int) -> list[Shown]:
    since = timezone.now() - POPULAR_DAYS
    counts = (
        Event.objects.filter(at__gte=since)
        .exclude(kind=Event.Kind.IMPRESSION)
        .exclude(customer__in=robots.suspects(since))
        .values_list("item")
        .annotate(times=Count("customer", distinct=True))
        .order_by("-times", "item")
    )
    popular = [
        Shown(item, float(times), "popular") for item, times in counts[: 10 * k] if item in allowed
    ][:k]
    left = allowed - {entry.item for entry in popular}
    if len(popular) == k or not left:
        return popular
    newest = Item.objects.filter(external_id__in=left).order_by("-created_at", "external_id")
    ids = newest.values_list("external_id", flat=True)[: k - len(popular)]
    return popular + [Shown(item, 0.0, "new") for item in ids]


def _explain(shown: list[Shown], shelf: catalog.Shelf, language: str) -> list[Choice]:
    """Say of each item that is shown why it is, in the reader's language."""
    choices = []
    for entry in shown:
        cause = shelf.listed.get(entry.because) if entry.because else None
        again = entry.because == entry.item
        reason = REASONS["again" if again else entry.source][language].format(
            title(cause, language) if cause else entry.because or ""
        )
        item = shelf.listed[entry.item]
        choices.append(Choice(item, entry.score, entry.source, entry.because, reason))
    return choices


def title(item: Listing | Item, language: str) -> str:
    translated: str = item.translations.get(language, {}).get("title", item.title)
    return translated
