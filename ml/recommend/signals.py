"""What speaks for an item: the signals that a ranking weighs against each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.recommend.goods import Goods, affinity, price_distance
from ml.recommend.interactions import Matrix
from ml.recommend.sequence import SequenceModel
from ml.recommend.taste import Past, Taste
from ml.types import Vectors

NAMES = (
    "behaviour",  # what those with a like past took, over all of the past
    "latest",  # the same, after the newest events alone
    "sequence",  # the sequence model's score
    "text",  # likeness in text
    "repeat",  # how strong the item is in the past itself
    "count",  # how often it was taken before
    "week",
    "month",
    "season",  # popularity of late
    "category",
    "brand",  # the share of the past in the item's category, of its brand
    "price",  # distance from the prices of the past
    "fresh",  # how new the item is
)
WINDOWS = (7.0, 28.0, 90.0)  # days
BEHAVIOUR, TEXT, FRESH = (NAMES.index(name) for name in ("behaviour", "text", "fresh"))
EXACT_BELOW = 5_000  # candidates that are all ranked; of more, those that something speaks for
BY_BEHAVIOUR, BY_TEXT, BY_POPULARITY = 1_500, 1_000, 500

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything that was fitted on a past, for items as rows.

    `weights` and `near` are sparse float32[items, items], from a history item to a candidate; a row
    of `lent`, of the same shape, are the weights of the items whose behaviour a cold one is lent;
    `text` float32[items, d] of length one; `popularity` float32[3, items]; `fresh` float32[items],
    1 for what is new; `cold` bool[items], what nobody had taken; `ranked` the rows by popularity.
    """

    weights: Matrix
    near: Matrix | None
    lent: Matrix
    text: Vectors | None
    popularity: Vectors
    fresh: Vectors
    cold: NDArray[np.bool_]
    ranked: Rows
    goods: Goods
    sequence: SequenceModel | None

    def candidates(self, taste: Taste, open_: NDArray[np.bool_], *, least: int = 0) -> Rows:
        """Those of the items open (bool[items]) that something speaks for; all where they are few,
        and `least` in any case."""
        if np.count_nonzero(open_) <= EXACT_BELOW:
            return np.flatnonzero(open_)
        spoken = np.zeros(len(open_), dtype=bool)
        spoken[self.ranked[open_[self.ranked]][: max(least, BY_POPULARITY)]] = True
        if len(taste.places):
            spoken[taste.places] = True
            spoken[_strongest(self.weights[taste.places].T @ taste.strengths, BY_BEHAVIOUR)] = True
            if self.near is not None:
                spoken[_strongest(self.near[taste.places].T @ taste.strengths, BY_TEXT)] = True
        return np.flatnonzero(spoken & open_)

    def of(self, past: Past, taste: Taste, rows: Rows) -> Vectors:
        """float32[signals, rows]."""
        found = np.zeros((len(NAMES), len(rows)), dtype=np.float32)
        signal = dict(zip(NAMES, found, strict=True))
        for name, popularity in zip(("week", "month", "season"), self.popularity, strict=True):
            signal[name][:] = popularity[rows]
        signal["fresh"][:] = self.fresh[rows]
        if not len(taste.places):
            return found
        weights, cold = self.weights[taste.places], self.cold[rows]
        behaviour = weights.T @ taste.strengths
        signal["behaviour"][:] = behaviour[rows]
        signal["behaviour"][cold] = self.lent[rows[cold]] @ behaviour
        signal["latest"][:] = (weights.T @ taste.latest)[rows]
        if self.sequence is not None:
            signal["sequence"][:] = self.sequence.scores(past, rows)
        if self.text is not None:
            signal["text"][:] = self.text[rows] @ self.profile(taste)
        own = np.zeros((2, len(self.fresh)), dtype=np.float32)
        own[:, taste.places] = taste.strengths, taste.counts
        signal["repeat"][:], signal["count"][:] = own[:, rows]
        signal["category"][:] = affinity(self.goods.categories, taste.places, taste.strengths)[rows]
        signal["brand"][:] = affinity(self.goods.brands, taste.places, taste.strengths)[rows]
        signal["price"][:] = price_distance(self.goods.prices, taste.places, taste.strengths)[rows]
        return found

    def profile(self, taste: Taste) -> Vectors:
        """float32[d]: what a taste's texts have in common; likeness is its product with a text."""
        if self.text is None:
            return np.zeros(0, dtype=np.float32)
        return np.asarray(taste.strengths @ self.text[taste.places])

    def of_new(self, taste: Taste, vectors: Vectors, kin: Matrix) -> Vectors:
        """float32[signals, m] of m items newer than the past, by their centred text vectors and
        the behaviour that their kin, sparse float32[m, items], lend them."""
        found = np.zeros((len(NAMES), len(vectors)), dtype=np.float32)
        found[FRESH] = 1.0
        if self.text is not None and len(taste.places):
            found[TEXT] = vectors @ self.profile(taste)
            found[BEHAVIOUR] = kin @ (self.weights[taste.places].T @ taste.strengths)
        return found


def _strongest(scores: NDArray[np.float32], count: int) -> Rows:
    some = np.flatnonzero(scores > 0)
    if len(some) <= count:
        return some
    return np.asarray(some[np.argpartition(-scores[some], count)[:count]])
