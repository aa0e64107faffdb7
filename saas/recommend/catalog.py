"""The tenant's catalog: its text vectors, and what of it serving keeps in memory."""

from __future__ import annotations

import functools
import json
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from saas import workers
from saas.recommend.models import Item
from saas.training import store
from tenants.scope import current_tenant_id, query

if TYPE_CHECKING:
    from ml.types import Vectors

NAME = "catalog"
EMBED_BATCH = 256
CACHED = 64
TEXT = ("title", "brand", "category", "tags", "description")  # what the encoder reads


def changed() -> None:
    from saas.recommend.tasks import embed

    store.touch(NAME)
    # Robust: the rows are kept even where the queue does not answer; `catch_up` sees to them then.
    workers.queue(embed, str(current_tenant_id()))


def text_of(item: Item) -> str:
    """What the encoder reads of an item."""
    parts = (item.title, item.brand, item.category, " ".join(item.tags), item.description)
    return ". ".join(part for part in parts if part)


def pending(encoder: str) -> list[Item]:
    """Some items that have no vector of this encoder yet."""
    return list(Item.objects.exclude(encoder=encoder).defer("vector")[:EMBED_BATCH])


def waiting() -> int:
    """How many items have no text vector at all yet."""
    return Item.objects.filter(vector=None).count()


def embed(items: Sequence[Item], vectors: Vectors, encoder: str) -> None:
    """Store the vectors of items, unless their text has changed meanwhile."""
    for item, vector in zip(items, vectors, strict=True):
        same = {name: getattr(item, name) for name in TEXT}
        Item.objects.filter(id=item.id, **same).update(
            vector=vector.astype("float16").tobytes(), encoder=encoder
        )
    store.touch(NAME)


Times = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows of an item."""

    external_id: str
    title: str
    price: Decimal | None
    currency: str
    category: str
    brand: str
    url: str
    image: str
    translations: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What serving needs of one state of the catalog: what is listed and what of it can be sold.

    `phase` numbers the stretches of time in which the same items are within their times: revision
    and phase together name a state. The vectors are those of all items that are for sale at any
    time; `available` says which are so now.
    """

    listed: dict[str, Listing]
    available: frozenset[str]
    by_category: dict[str, frozenset[str]]
    vector_ids: list[str]
    vectors: Vectors
    phase: int = 0

    def of(self, category: str | None) -> frozenset[str]:
        """The ids of a category, or of everything."""
        return self.by_category.get(category, frozenset()) if category else self.available


def shelf(encoder: str, revision: int) -> Shelf:
    """One state of the current tenant's catalog (store.serving names the present one), as of now."""
    return _kept(current_tenant_id(), encoder).at(revision, encoder)


class _Kept:
    """A tenant's newest shelf. Older ones are let go: a large catalog's vectors take 150 MB."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._revision: int | None = None
        self._stock: _Stock

    def at(self, revision: int, encoder: str) -> Shelf:
        with self._lock:
            if self._revision != revision:
                self._stock = _read(encoder)
                self._revision = revision
            return self._stock.now()


@functools.lru_cache(maxsize=CACHED)
def _kept(tenant_id: UUID, encoder: str) -> _Kept:
    return _Kept()


class _Stock:
    """All that is for sale at any time, and its `times`: from when until when, of what has any.

    The same is on the shelf from one of `turns`, at which something comes or goes, to the next, so
    that a call costs one look at the clock.
    """

    def __init__(self, whole: Shelf, times: dict[str, Times]) -> None:
        self._whole = self._shown = whole
        self._times = times
        self._turns = sorted({time for pair in times.values() for time in pair if time})
        self._show(0)

    def now(self) -> Shelf:
        phase = bisect_right(self._turns, timezone.now())
        if phase != self._shown.phase:
            self._show(phase)
        return self._shown

    def _show(self, phase: int) -> None:
        at = self._turns[phase - 1] if phase else None
        away = {id_ for id_, times in self._times.items() if not _is_open(times, at)}
        whole = self._whole
        self._shown = replace(
            whole,
            available=whole.available - away,
            by_category={name: found - away for name, found in whole.by_category.items()},
            phase=phase,
        )


def _is_open(times: Times, at: datetime | None) -> bool:
    """Whether a moment lies within; None is before all of them."""
    begins, ends = times
    if at is None:
        return begins is None
    return (begins is None or begins <= at) and (ends is None or at < ends)


# `{}` is nothing to read for most items: a hundred thousand of them take a second.
READ = """
    SELECT external_id, title, price, currency, category, brand, url, image,
           nullif(translations, '{}')::text, available AND stock IS DISTINCT FROM 0,
           available_from, available_until,
           CASE WHEN encoder = %(encoder)s AND available AND stock IS DISTINCT FROM 0
                THEN vector END
    FROM recommend_item WHERE tenant_id = %(tenant)s"""


def _read(encoder: str) -> _Stock:
    listed: dict[str, Listing] = {}
    by_category: dict[str, set[str]] = {}
    times: dict[str, Times] = {}
    vectors: dict[str, bytes] = {}
    for *shown, for_sale, begins, ends, vector in query(READ, encoder=encoder):
        shown[-1] = json.loads(shown[-1]) if shown[-1] else {}
        listing = Listing(*shown)
        id_ = listing.external_id
        listed[id_] = listing
        if not for_sale:
            continue
        by_category.setdefault(listing.category, set()).add(id_)
        if begins or ends:
            times[id_] = (begins, ends)
        if vector is not None:
            vectors[id_] = vector
    frozen = {category: frozenset(found) for category, found in by_category.items()}
    sold = frozenset(id_ for found in frozen.values() for id_ in found)
    return _Stock(Shelf(listed, sold, frozen, list(vectors), _matrix(vectors.values())), times)


def _matrix(vectors: Collection[bytes]) -> Vectors:
    """float32[vectors, d]."""
    import numpy as np

    whole = np.frombuffer(b"".join(vectors), np.float16)
    width = len(whole) // len(vectors) if vectors else 1
    return whole.reshape(len(vectors), width).astype(np.float32)
