"""From candidates to a list: weights, diversity, limits by brand or category, new items and pins.

Plain Python: it knows no tenant and no table. An item's standing is one over its place among the
candidates, so that weights mean the same whatever model gave the scores: at twice the weight an item
stands as if it were at half its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may be shown, what speaks for it, and the item that it owes its place to.

    `detail` is what a reason says beyond that: a window, a kind of event, words.
    """

    item: str
    score: float
    source: str
    because: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many items of one group: `groups` names each item's, "" is none."""

    most: int
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a list should be like.

    `weights` multiply standings (1 where there is none). `pins` and `explored` stand at their
    places, from 1, or at the next free one; pins go first, and caps do not bind them. `diversity`
    0..1 is how much likeness of `vectors`, float32[d] each, counts against standing (maximal
    marginal relevance, Carbonell and Goldstein 1998).
    """

    limit: int
    weights: Mapping[str, float] = field(default_factory=dict)
    caps: Sequence[Cap] = ()
    diversity: float = 0.0
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    pins: Sequence[tuple[int, Candidate]] = ()
    explored: Sequence[tuple[int, Candidate]] = ()


class _List:
    """The list as it fills."""

    def __init__(self, limit: int, caps: Sequence[Cap]) -> None:
        self.slots: list[Candidate | None] = [None] * limit
        self.items: set[str] = set()
        self._caps = caps
        self._counts: list[Counter[str]] = [Counter() for _ in caps]

    def fits(self, item: str) -> bool:
        groups = [cap.groups.get(item, "") for cap in self._caps]
        return all(
            not group or counts[group] < cap.most
            for cap, counts, group in zip(self._caps, self._counts, groups, strict=True)
        )

    def put(self, candidate: Candidate, position: int = 1) -> bool:
        """At its position or the next free one; False where it is there already or none is free."""
        free = [at for at in range(position - 1, len(self.slots)) if self.slots[at] is None]
        if candidate.item in self.items or not free:
            return False
        self.slots[free[0]] = candidate
        self.items.add(candidate.item)
        for cap, counts in zip(self._caps, self._counts, strict=True):
            counts[cap.groups.get(candidate.item, "")] += 1
        return True

    @property
    def full(self) -> bool:
        return len(self.items) == len(self.slots)


def arrange(candidates: Sequence[Candidate], wishes: Wishes) -> list[Candidate]:
    """Up to `limit` of the candidates, each once. Caps give way before places stay empty."""
    made = _List(wishes.limit, wishes.caps)
    for position, pin in wishes.pins:
        made.put(pin, position)
    for position, new in wishes.explored:
        if made.fits(new.item):
            made.put(new, position)
    waiting = _Waiting(_ranked(candidates, wishes.weights), wishes)
    for item in made.items:
        waiting.seen(item)
    while not made.full and (best := waiting.next(made)):
        made.put(best)
    return [candidate for candidate in made.slots if candidate]


def _ranked(candidates: Sequence[Candidate], weights: Mapping[str, float]) -> list[Candidate]:
    """By standing; of an item that is there twice, the better one."""
    unique = {candidate.item: candidate for candidate in reversed(candidates)}
    first = {candidate.item: place for place, candidate in reversed(list(enumerate(candidates, 1)))}
    return sorted(
        unique.values(), key=lambda c: (first[c.item] / weights.get(c.item, 1.0), first[c.item])
    )


class _Waiting:
    """Candidates that are not in the list yet."""

    def __init__(self, ranked: list[Candidate], wishes: Wishes) -> None:
        self._left = dict(enumerate(ranked))
        self._places = {candidate.item: place for place, candidate in self._left.items()}
        self._diversity = wishes.diversity
        self._relevance = 1.0 - np.arange(len(ranked)) / max(len(ranked), 1)
        self._likeness = np.zeros(len(ranked))
        self._vectors = _vectors(ranked, wishes) if wishes.diversity else None

    def next(self, made: _List) -> Candidate | None:
        if not self._left:
            return None
        worth = (1 - self._diversity) * self._relevance - self._diversity * self._likeness
        order = [at for at in np.argsort(-worth, kind="stable").tolist() if at in self._left]
        fitting = (at for at in order if made.fits(self._left[at].item))
        best = self._left[next(fitting, order[0])]
        self.seen(best.item)
        return best

    def seen(self, item: str) -> None:
        """It is in the list: not a candidate any more, and others are like it."""
        place = self._places.get(item)
        if place is None:
            return
        del self._left[place]
        if self._vectors is not None:
            self._likeness = np.maximum(self._likeness, self._vectors @ self._vectors[place])


def _vectors(ranked: Sequence[Candidate], wishes: Wishes) -> NDArray[np.float32]:
    """float32[candidates, d] of length one, from what all of them have in common; 0 without one."""
    known = [wishes.vectors[c.item] for c in ranked if c.item in wishes.vectors]
    if not known:
        return np.zeros((len(ranked), 1), np.float32)
    centre = np.mean(known, axis=0)
    away = [wishes.vectors.get(c.item, centre) - centre for c in ranked]
    matrix = np.asarray(away, np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-6), np.float32)
