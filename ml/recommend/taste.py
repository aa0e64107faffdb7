"""A customer's past as the models read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.recommend.interactions import DAY
from ml.types import Event, Vectors

LONGEST = 300  # distinct items that are looked at, the strongest ones
LATEST = 3  # newest events that count for themselves
FADING = 0.5  # each of them counts so much of the one after it


@dataclass(frozen=True, slots=True)
class Past:
    """A customer's events of known items, the oldest first; times and now in days."""

    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    days: NDArray[np.float64]
    now: float

    @classmethod
    def of(
        cls,
        events: Sequence[Event],
        places: Mapping[str, int],
        kinds: Mapping[str, int],
        now: float,
    ) -> Self:
        """Events of items without a place are left out; a kind without a number is number 0."""
        known = sorted((e for e in events if e.item in places), key=lambda event: event.at)
        return cls(
            np.array([places[event.item] for event in known], dtype=np.int64),
            np.array([kinds.get(event.kind, 0) for event in known], dtype=np.int64),
            np.array([min(event.at, now) / DAY for event in known], dtype=np.float64),
            now / DAY,
        )

    def without(self, item: int) -> "Past":
        """The same past, had this item not been in it."""
        left = self.items != item
        return Past(self.items[left], self.kinds[left], self.days[left], self.now)


@dataclass(frozen=True, slots=True)
class Taste:
    """A past in short: its distinct items, and for each how strong it is (together of length one),
    how often it was taken, and how strong it is among the newest events alone."""

    places: NDArray[np.int64]
    strengths: Vectors
    counts: Vectors
    latest: Vectors

    @property
    def both(self) -> Vectors:
        """float32[2, items]: the strengths over all and among the newest events."""
        return np.stack([self.strengths, self.latest])

    @classmethod
    def of(cls, past: Past, *, half_life: float, kind_weights: Vectors) -> Self:
        weights = kind_weights[past.kinds] * 0.5 ** ((past.now - past.days) / half_life)
        places, inverse = np.unique(past.items, return_inverse=True)
        sums = np.bincount(inverse, weights=weights, minlength=len(places))
        latest = np.zeros(len(places))
        newest = inverse[::-1][:LATEST]
        np.maximum.at(latest, newest, FADING ** np.arange(len(newest)))
        counts = np.bincount(inverse, minlength=len(places))
        chosen = np.argsort(-sums, kind="stable")[:LONGEST]
        strengths = np.log1p(sums[chosen])
        strengths /= max(float(np.linalg.norm(strengths)), 1e-9)
        return cls(
            places[chosen],
            strengths.astype(np.float32),
            np.log1p(counts[chosen]).astype(np.float32),
            latest[chosen].astype(np.float32),
        )
