"""What of a catalog may be shown in answer to a call: what can be sold, fits, and is not hidden."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from saas import engine
from saas.recommend import catalog
from saas.recommend.columns import Columns, Mask, Targets, columns
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.recommend import Offer

CACHED, CATALOGS = 256, 64


@dataclass(frozen=True, slots=True)
class Catalog:
    """One state of the current tenant's catalog, as serving names it."""

    encoder: str
    revision: int

    @property
    def shelf(self) -> catalog.Shelf:
        return catalog.shelf(self.encoder, self.revision)

    @property
    def columns(self) -> Columns:
        return columns(self.encoder, self.revision)

    @property
    def vector_rows(self) -> dict[str, int]:
        """Where in `shelf.vectors` each item's is."""
        return _vector_rows(current_tenant_id(), self)

    @property
    def vector_places(self) -> NDArray[np.intp]:
        """Which place of `columns` each row of `shelf.vectors` is of."""
        return _vector_places(current_tenant_id(), self)


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


def present() -> tuple[Catalog, store.Serving]:
    """The catalog as it is now, and what recommends of it."""
    encoder = engine.fingerprint()
    live = store.serving("recommend", rows=catalog.NAME, encoder=encoder)
    return Catalog(encoder, live.revision), live


def assortment(of: Catalog, limits: Limits) -> Assortment:
    return _assortment(current_tenant_id(), of, limits)


def offer(of: Catalog, version_id: UUID, limits: Limits) -> Offer:
    """What a version may recommend of it: the same for all customers."""
    return _offer(current_tenant_id(), of, version_id, limits)


@functools.lru_cache(maxsize=CATALOGS)
def _vector_rows(tenant_id: UUID, of: Catalog) -> dict[str, int]:
    return {item: row for row, item in enumerate(of.shelf.vector_ids)}


@functools.lru_cache(maxsize=CATALOGS)
def _vector_places(tenant_id: UUID, of: Catalog) -> NDArray[np.intp]:
    return np.array([of.columns.places[item] for item in of.shelf.vector_ids], np.intp)


@functools.lru_cache(maxsize=CACHED)
def _assortment(tenant_id: UUID, of: Catalog, limits: Limits) -> Assortment:
    found = of.columns
    mask = found.mask(of.shelf.of(limits.category))
    for filter in limits.filters:
        mask &= found.admitted(filter)
    for targets in limits.hidden:
        mask &= ~found.targeted(targets)
    return Assortment(found, mask)


@functools.lru_cache(maxsize=CACHED)
def _offer(tenant_id: UUID, of: Catalog, version_id: UUID, limits: Limits) -> Offer:
    if limits != Limits():
        narrowed: Offer = _offer(tenant_id, of, version_id, Limits()).only(assortment(of, limits))
        return narrowed
    shelf, model = of.shelf, store.load("recommend", version_id)
    whole: Offer = model.offer(
        allowed=assortment(of, limits), extra=(shelf.vector_ids, shelf.vectors)
    )
    return whole
