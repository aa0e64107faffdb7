"""What a demand and the shop's rules want of a list, in the words of its arrangement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import floor
from random import Random
from typing import Any

import numpy as np
from django.utils import timezone

from saas.recommend import taste
from saas.recommend.arrangement import Candidate, Cap, Wishes
from saas.recommend.assortment import Assortment
from saas.recommend.candidates import Scene
from saas.recommend.rules import InForce

NEW = timedelta(days=28)
NEWEST = 200


def wishes(scene: Scene, held: Sequence[InForce], found: Sequence[Candidate]) -> Wishes:
    demand = scene.demand
    weights = _weights(scene, held, found)
    vectors = _vectors(scene, found) if demand.diversity else {}
    if demand.kind == "rerank":
        return Wishes(len(found), weights, (), demand.diversity, vectors)
    among = scene.among if demand.explore or any(rule.action == "pin" for rule in held) else None
    return Wishes(
        limit=demand.limit,
        weights=weights,
        caps=_caps(scene, found),
        diversity=demand.diversity,
        vectors=vectors,
        pins=_pins(scene, held, found, among) if among else (),
        explored=_explored(scene, among) if among and demand.explore else (),
    )


def _weights(scene: Scene, held: Sequence[InForce], found: Sequence[Candidate]) -> dict[str, float]:
    """What the standing of each candidate is multiplied by."""
    columns = scene.catalog.columns
    places = [columns.places[candidate.item] for candidate in found]
    standing = np.ones(len(found))
    rules = [(rule.targets, rule.weight) for rule in held if rule.action in ("boost", "bury")]
    for targets, weight in [*scene.demand.boosts, *rules]:
        standing[columns.targeted(targets)[places]] *= weight
    weights = dict(zip([candidate.item for candidate in found], standing.tolist(), strict=True))
    if scene.demand.rotate and scene.demand.customer:
        known = {event.item for event in scene.past}
        for item, times in taste.shown(scene.demand.customer, scene.demand.place).items():
            if item not in known:
                weights[item] = weights.get(item, 1.0) / (1 + times)
    return weights


def _caps(scene: Scene, found: Sequence[Candidate]) -> list[Cap]:
    asked = (("brand", scene.demand.max_per_brand), ("category", scene.demand.max_per_category))
    groups = scene.catalog.columns.of
    items = [candidate.item for candidate in found]
    return [Cap(most, groups(name, items)) for name, most in asked if most is not None]


def _pins(
    scene: Scene, held: Sequence[InForce], found: Sequence[Candidate], among: Assortment
) -> list[tuple[int, Candidate]]:
    """The items of each pin, or of a pin by filter the best candidate that it admits."""
    pins = []
    for rule in held:
        if rule.action != "pin":
            continue
        items = rule.targets.items
        if rule.targets.filter:
            mask = scene.catalog.columns.targeted(rule.targets)
            places = scene.catalog.columns.places
            items = tuple(c.item for c in found if mask[places[c.item]])[:1]
        there = [item for item in items if item in among]
        pins += [
            (rule.position + place, Candidate(item, 0.0, "pinned"))
            for place, item in enumerate(there)
        ]
    return pins


def _explored(scene: Scene, among: Assortment) -> list[tuple[int, Candidate]]:
    """New items at some places, drawn from the answer's id: the same for the same answer.

    The share holds on average: of 10 places 0.05 is one place in every second answer.
    """
    demand, draw = scene.demand, Random(scene.demand.id.int)  # noqa: S311  (no secret)
    since = (timezone.now() - NEW).timestamp()
    known = {event.item for event in scene.past}
    came = among.columns.of("created_at", among.newest(NEWEST))
    new = [item for item, at in came.items() if at >= since and item not in known]
    count = min(floor(demand.limit * demand.explore + draw.random()), len(new), demand.limit)
    places = sorted(draw.sample(range(1, demand.limit + 1), count))
    items = draw.sample(new, count)
    return [(place, Candidate(item, 0.0, "new")) for place, item in zip(places, items, strict=True)]


def _vectors(scene: Scene, found: Sequence[Candidate]) -> dict[str, Any]:
    rows, vectors = scene.catalog.vector_rows, scene.catalog.shelf.vectors
    return {c.item: vectors[rows[c.item]] for c in found if c.item in rows}
