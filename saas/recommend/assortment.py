"""What of a catalog may be shown in answer to a call: what can be sold, fits, and is not hidden."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from saas import engine
from saas.recommend import catalog
from saas.recommend.columns import Columns, Mask, Memo, Targets
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.recommend import Offer

CACHED = 64


@dataclass(eq=False)
class Catalog:
    """One state of the current tenant's catalog, and what was worked out of it so far.

    `lasting` is of its revision; `passing` is of what can be sold at the moment, which time changes,
    too.
    """

    encoder: str
    revision: int
    shelf: catalog.Shelf
    columns: Columns
    lasting: Memo = field(default_factory=Memo)
    passing: Memo = field(default_factory=Memo)
    counted: dict[str, tuple[int, NDArray[Any]]] = field(default_factory=dict)

    @property
    def vector_rows(self) -> dict[str, int]:
        """Where in `shelf.vectors` each item's is."""
        ids = self.shelf.vector_ids
        rows: dict[str, int] = self.lasting.get(
            "vector_rows", lambda: {item: row for row, item in enumerate(ids)}
        )
        return rows

    @property
    def vector_places(self) -> NDArray[np.intp]:
        """Which place of `columns` each row of `shelf.vectors` is of."""
        ids, places = self.shelf.vector_ids, self.columns.places
        found: NDArray[np.intp] = self.lasting.get(
            "vector_places", lambda: np.array([places[item] for item in ids], np.intp)
        )
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may be answered with."""

    category: str | None = None
    filters: tuple[str, ...] = ()
    hidden: tuple[Targets, ...] = ()


@dataclass(frozen=True, slots=True)
class Assortment(Collection[str]):
    """The items that may be shown: a set that takes a byte an item of the catalog."""

    columns: Columns
    mask: Mask

    def __contains__(self, item: object) -> bool:
        place = self.columns.places.get(item)  # type: ignore[call-overload]
        return place is not None and bool(self.mask[place])

    def __iter__(self) -> Iterator[str]:
        return (self.columns.ids[place] for place in np.flatnonzero(self.mask).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(self.mask))

    def without(self, items: Collection[str]) -> Assortment:
        return Assortment(self.columns, self.mask & ~self.columns.mask(items)) if items else self

    def newest(self, most: int) -> list[str]:
        """Those that came to the catalog last."""
        order = self.columns.newest
        return [self.columns.ids[place] for place in order[self.mask[order]][:most].tolist()]


def present(live: store.Serving) -> Catalog:
    """The catalog as it is while that recommends of it."""
    return _newest(current_tenant_id(), engine.fingerprint()).at(live.revision)


def assortment(of: Catalog, limits: Limits) -> Assortment:
    found: Assortment = of.passing.get(limits, lambda: _assorted(of, limits))
    return found


def offer(of: Catalog, version_id: UUID, limits: Limits) -> Offer:
    """What a version may recommend of it: the same for all customers."""
    found: Offer = of.passing.get((version_id, limits), lambda: _offer(of, version_id, limits))
    return found


class _Newest:
    """A tenant's newest state only: all that is worked out of a large catalog takes much memory."""

    def __init__(self, encoder: str) -> None:
        self._encoder = encoder
        self._lock = Lock()
        self._last: Catalog | None = None

    def at(self, revision: int) -> Catalog:
        shelf = catalog.shelf(self._encoder, revision)
        with self._lock:
            last = self._last
            if last is None or last.revision != revision:
                last = Catalog(self._encoder, revision, shelf, Columns.of_items(shelf.listed))
            elif last.shelf is not shelf:
                last = replace(last, shelf=shelf, passing=Memo(), counted={})
            self._last = last
            return last


@functools.lru_cache(maxsize=CACHED)
def _newest(tenant_id: UUID, encoder: str) -> _Newest:
    return _Newest(encoder)


def _assorted(of: Catalog, limits: Limits) -> Assortment:
    found = of.columns
    mask = found.mask(of.shelf.of(limits.category))
    for filter in limits.filters:
        mask &= found.admitted(filter)
    for targets in limits.hidden:
        mask &= ~found.targeted(targets)
    return Assortment(found, mask)


def _offer(of: Catalog, version_id: UUID, limits: Limits) -> Offer:
    if limits != Limits():
        narrowed: Offer = offer(of, version_id, Limits()).only(assortment(of, limits))
        return narrowed
    shelf, model = of.shelf, store.load("recommend", version_id)
    whole: Offer = model.offer(
        allowed=assortment(of, limits), extra=(shelf.vector_ids, shelf.vectors)
    )
    return whole
