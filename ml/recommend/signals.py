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
    "text_latest",  # the same, to the newest events alone
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
FRESH = NAMES.index("fresh")
BY_LIKENESS = [NAMES.index(name) for name in ("text", "text_latest")]
BY_KIN = [NAMES.index(name) for name in ("behaviour", "latest")]  # what a cold item is lent
EXACT_BELOW = 5_000  # candidates that are all ranked; of more, those that something speaks for
# Half as many again rank no better on the held-out purchases of Beauty.
BY_BEHAVIOUR, BY_TEXT, BY_POPULARITY = 1_000, 700, 300

PART = 256  # text vectors

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Echo:
    """What a taste calls up, which all signals are read from.

    `shared` is sparse float32[items of the taste, items], the weights from each of its items to the
    others; `behaviour` float32[2, items], their sums over the taste and over its newest events;
    `profiles` float32[2, d], likewise what its texts have in common: likeness is the product with a
    text.
    """

    taste: Taste
    shared: Matrix
    behaviour: Vectors
    profiles: Vectors


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

    def echo(self, taste: Taste) -> Echo:
        shared = self.weights[taste.places]
        behaviour = np.stack([shared.T @ counts for counts in taste.both])
        profiles = np.zeros((2, 0), dtype=np.float32)
        if self.text is not None:
            profiles = np.asarray(taste.both @ self.text[taste.places])
        return Echo(taste, shared, behaviour, profiles)

    def candidates(self, echo: Echo, open_: NDArray[np.bool_], *, least: int = 0) -> Rows:
        """Those of the items open (bool[items]) that something speaks for; all where they are few,
        and `least` in any case."""
        if np.count_nonzero(open_) <= EXACT_BELOW:
            return np.flatnonzero(open_)
        taste = echo.taste
        spoken = np.zeros(len(open_), dtype=bool)
        spoken[_first(self.ranked, open_, max(least, BY_POPULARITY))] = True
        if len(taste.places):
            spoken[taste.places] = True
            spoken[_strongest(echo.behaviour[0], BY_BEHAVIOUR)] = True
            if self.near is not None:
                spoken[_strongest(self.near[taste.places].T @ taste.strengths, BY_TEXT)] = True
        return np.flatnonzero(spoken & open_)

    def of(self, past: Past, echo: Echo, rows: Rows) -> Vectors:
        """float32[signals, rows]."""
        found = np.zeros((len(NAMES), len(rows)), dtype=np.float32)
        signal = dict(zip(NAMES, found, strict=True))
        for name, popularity in zip(("week", "month", "season"), self.popularity, strict=True):
            signal[name][:] = popularity[rows]
        signal["fresh"][:] = self.fresh[rows]
        taste = echo.taste
        if not len(taste.places):
            return found
        cold = self.cold[rows]
        found[BY_KIN] = echo.behaviour[:, rows]
        lent = self.lent[rows[cold]]
        for number, behaviour in zip(BY_KIN, echo.behaviour, strict=True):
            found[number, cold] = lent @ behaviour
        if self.sequence is not None:
            signal["sequence"][:] = self.sequence.scores(past, rows)
        if self.text is not None:
            found[BY_LIKENESS] = _likeness(self.text, rows, echo.profiles)
        own = np.zeros((2, len(self.fresh)), dtype=np.float32)
        own[:, taste.places] = taste.strengths, taste.counts
        signal["repeat"][:], signal["count"][:] = own[:, rows]
        goods = self.goods
        signal["category"][:] = affinity(goods.categories, rows, taste.places, taste.strengths)
        signal["brand"][:] = affinity(goods.brands, rows, taste.places, taste.strengths)
        signal["price"][:] = price_distance(goods.prices, rows, taste.places, taste.strengths)
        return found

    def of_new(self, echo: Echo, vectors: Vectors, kin: Matrix) -> Vectors:
        """float32[signals, m] of m items newer than the past, by their text vectors as seen through
        the lens and the behaviour that their kin, sparse float32[m, items], lend them."""
        found = np.zeros((len(NAMES), len(vectors)), dtype=np.float32)
        found[FRESH] = 1.0
        if self.text is not None and len(echo.taste.places) and len(vectors):
            found[BY_LIKENESS] = echo.profiles @ vectors.T
            found[BY_KIN] = (kin @ echo.behaviour.T).T
        return found


def _first(ranked: Rows, open_: NDArray[np.bool_], count: int) -> Rows:
    """The first `count` open ones of rows in their order, without a look at all of them."""
    looked_at = 2 * count
    while True:
        some = ranked[:looked_at]
        found = some[open_[some]]
        if len(found) >= count or looked_at >= len(ranked):
            return found[:count]
        looked_at *= 4


def _likeness(text: Vectors, rows: Rows, profiles: Vectors) -> Vectors:
    """float32[profiles, rows], by parts that a processor keeps at hand: copying all of them takes
    longer, and so do products of matrices of which one has two rows.
    """
    found = np.zeros((len(profiles), len(rows)), dtype=np.float32)
    for start in range(0, len(rows), PART):
        part = text[rows[start : start + PART]]
        for liked, profile in zip(found, profiles, strict=True):
            liked[start : start + PART] = part @ profile
    return found


def _strongest(scores: NDArray[np.float32], count: int) -> Rows:
    some = np.flatnonzero(scores > 0)
    if len(some) <= count:
        return some
    return np.asarray(some[np.argpartition(-scores[some], count)[:count]])
