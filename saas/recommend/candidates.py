"""What could be shown, by the kind of demand, and what takes its place where that is too little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils import timezone

from saas.recommend import popularity, search
from saas.recommend.arrangement import Candidate
from saas.recommend.assortment import Assortment, Catalog, Limits, assortment, offer
from saas.recommend.demand import Demand
from saas.training import store

if TYPE_CHECKING:
    from ml.types import Event, Pick

NOTHING_FITS, POPULAR, NEWEST, GIVEN = "nothing_fits", "popular", "newest", "given_order"


@dataclass(frozen=True, slots=True)
class Scene:
    """What an answer is made from, as it is at this moment."""

    demand: Demand
    catalog: Catalog
    live: store.Serving
    limits: Limits
    past: Sequence[Event]
    excluded: frozenset[str]

    @property
    def among(self) -> Assortment:
        return assortment(self.catalog, self.limits).without(self.excluded)


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates, the best first. `order` is what ordered them where it was not what was asked for;
    `added` says which of them a fallback added.
    """

    candidates: list[Candidate]
    order: str | None = None
    added: dict[str, str] = field(default_factory=dict)

    def fallback(self, shown: Sequence[Candidate]) -> str | None:
        """The last one that a list needed."""
        if not shown:
            return NOTHING_FITS
        steps = {self.added.get(candidate.item) for candidate in shown}
        return next((step for step in (NEWEST, POPULAR) if step in steps), self.order)


def find(scene: Scene, k: int) -> Found:
    """Up to k candidates. Where the kind has too few, what is popular is added, then what is new;
    a search that found something, and the caller's own list, are left as they are.
    """
    kind, limit = scene.demand.kind, scene.demand.limit
    own = FINDERS[kind](scene, k)
    enough = {"rerank": 0, "search": 1, "similar": limit, "together": limit}.get(kind, k)
    found = Found(own, _order_of(scene, own))
    return found if len(own) >= enough else _filled(scene, found, k)


def _order_of(scene: Scene, own: list[Candidate]) -> str | None:
    if scene.demand.kind == "rerank" and scene.live.version_id is None:
        return GIVEN
    personal = scene.demand.kind in ("for_you", "rerank")
    return POPULAR if personal and all(c.source == "popular" for c in own) else None


def _filled(scene: Scene, found: Found, k: int) -> Found:
    """Up to k: what is popular in the category of the items asked about, what is popular, and new."""
    candidates, among = list(found.candidates), scene.among
    for some in _categories(scene):
        left = among if some is None else Assortment(among.columns, among.mask & some)
        left = left.without({candidate.item for candidate in candidates})
        candidates += popularity.ranked("month", k - len(candidates), of=scene.catalog, among=left)
    added = {candidate.item: POPULAR for candidate in candidates[len(found.candidates) :]}
    new = among.without({candidate.item for candidate in candidates}).newest(k - len(candidates))
    candidates += [Candidate(item, 0.0, "new") for item in new]
    return Found(candidates, found.order, added | dict.fromkeys(new, NEWEST))


def _categories(scene: Scene) -> list[Any]:
    """Masks of where to look for what is popular, one after the other; None is everywhere."""
    shelf, columns = scene.catalog.shelf, scene.catalog.columns
    asked = [shelf.listed[item].category for item in scene.demand.items if item in shelf.listed]
    masks = [columns.mask(shelf.of(category)) for category in dict.fromkeys(asked) if category]
    return [*masks, None]


def _for_you(scene: Scene, k: int) -> list[Candidate]:
    if scene.live.version_id is None:
        return []
    picks = scene.live.model.recommend(
        scene.past,
        now=timezone.now().timestamp(),
        k=k,
        offer=offer(scene.catalog, scene.live.version_id, scene.limits),
        exclude=scene.excluded,
    )
    return _candidates(picks)


def _similar(scene: Scene, k: int) -> list[Candidate]:
    item: str = scene.demand.items[0]
    picks: list[Pick] = []
    if scene.live.version_id is not None:
        among = offer(scene.catalog, scene.live.version_id, scene.limits)
        picks = scene.live.model.similar(item, k=k + len(scene.excluded), offer=among)
    found = [c for c in _candidates(picks) if c.item not in scene.excluded][:k]
    return found or _by_text(scene, item, k)


def _by_text(scene: Scene, item: str, k: int) -> list[Candidate]:
    """The likest by their texts, while there is no model that knows the item."""
    shelf, row = scene.catalog.shelf, scene.catalog.vector_rows.get(item)
    if row is None:
        return []
    places = scene.catalog.vector_places
    open_ = np.flatnonzero(scene.among.without({item}).mask[places])
    likeness = (shelf.vectors @ shelf.vectors[row])[open_]
    best = np.argsort(-likeness, kind="stable")[:k]
    ids = [shelf.vector_ids[at] for at in open_[best].tolist()]
    pairs = zip(ids, likeness[best].tolist(), strict=True)
    return [Candidate(id_, score, "similar", item) for id_, score in pairs]


def _together(scene: Scene, k: int) -> list[Candidate]:
    if scene.live.version_id is None:
        return []
    among = offer(scene.catalog, scene.live.version_id, scene.limits)
    picks = scene.live.model.together(scene.demand.items, k=k + len(scene.excluded), offer=among)
    return [c for c in _candidates(picks) if c.item not in scene.excluded][:k]


def _trending(scene: Scene, k: int) -> list[Candidate]:
    window = scene.demand.window
    found = popularity.ranked(window, k, of=scene.catalog, among=scene.among)
    return [replace(candidate, detail=window) for candidate in found]


def _rerank(scene: Scene, k: int) -> list[Candidate]:
    """All the given items that are known; those that cannot be sold now stand last."""
    known = [item for item in scene.demand.items if item in scene.catalog.columns.places]
    found: list[Candidate] = []
    if scene.live.version_id is not None:
        whole = offer(scene.catalog, scene.live.version_id, Limits())
        now = timezone.now().timestamp()
        picks = scene.live.model.recommend(scene.past, now=now, k=k, offer=whole.only(known))
        found = _candidates(picks)
    there = {candidate.item for candidate in found}
    return found + [Candidate(item, 0.0, "given") for item in known if item not in there]


def _search(scene: Scene, k: int) -> list[Candidate]:
    if scene.demand.wish is None:
        return []
    hits = search.hits(
        scene.demand.wish,
        k,
        of=scene.catalog,
        live=scene.live,
        past=scene.past,
        among=scene.among,
    )
    words = search.matched(scene.demand.wish, hits)
    return [
        Candidate(id_, hit.certainty, "search", None, words.get(id_, ""))
        for hit in hits
        if (id_ := hit.item.external_id)
    ]


def _candidates(picks: Sequence[Pick]) -> list[Candidate]:
    return [Candidate(pick.item, pick.score, pick.source, pick.because) for pick in picks]


FINDERS: dict[str, Callable[[Scene, int], list[Candidate]]] = {
    "for_you": _for_you,
    "similar": _similar,
    "together": _together,
    "trending": _trending,
    "rerank": _rerank,
    "search": _search,
}
