"""Chooses the recommender's settings on the last part of the tenant's own past."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.recommend import linear
from ml.recommend.interactions import BOUGHT, Interactions, Matrix
from ml.types import Progress, Vectors

HELD_OUT_DAYS = 28.0
TOP = 10
FEWEST, MOST = 20, 2_000  # customers that a choice is measured on
CELLS = 20_000_000  # scores held at once, of customers times items

HALF_LIVES = (90.0, 30.0, 365.0)
REGULARISATIONS = (50.0, 10.0, 200.0)
RARITIES = (0.5, 0.0, 1.0)
REPEATS = (0.0, 0.1, 0.3, 1.0, 3.0)
POPULARITIES = (0.01, 0.03, 0.1, 0.3, 1.0)
POPULARITY_DAYS = (28.0, 7.0, 90.0)
TEXTS = (0.0, 0.1, 0.3, 1.0)


@dataclass(frozen=True, slots=True)
class Choice:
    """Days, and the weights of the parts of a score: behaviour itself weighs 1."""

    half_life: float = 90.0
    regularisation: float = 50.0
    rarity: float = 0.5  # how much more a rare kind of event weighs than a frequent one
    repeat: float = 1.0
    popularity: float = 0.3
    popularity_days: float = 28.0
    text: float = 0.1

    def to_json(self) -> dict[str, float]:
        return asdict(self)


def kind_weights(interactions: Interactions, rarity: float) -> dict[str, float]:
    """A view is cheap and a purchase rare: weights by frequency, the rarest kind's is 1."""
    counts = np.bincount(interactions.kinds, minlength=len(interactions.kind_names))
    shares = (max(1, counts.min(initial=len(interactions.kinds))) / np.maximum(counts, 1)) ** rarity
    return {
        name: 1.0 if name in BOUGHT else float(share)
        for name, share in zip(interactions.kind_names, shares, strict=True)
    }


def choose(
    interactions: Interactions, text: Vectors | None, *, seed: int, progress: Progress
) -> tuple[Choice, dict[str, float]]:
    """The best settings found, one after another, and what the held-out days say about them.

    With too few customers who came back there is nothing to measure: the defaults, no figures.
    """
    trial = _Trial.of(interactions, text, seed=seed)
    if trial is None:
        return Choice(text=0.0 if text is None else 0.1), {}
    choice, best = Choice(text=0.0), -1.0
    steps = list(_steps(interactions, text))
    for done, (fields, values) in enumerate(steps):
        for value in values:
            candidate = replace(choice, **dict(zip(fields, value, strict=True)))
            quality = trial.ndcg(candidate)
            if quality > best:
                best, choice = quality, candidate
        told = ", ".join(f"{field} {getattr(choice, field):g}" for field in fields)
        progress((done + 1) / len(steps), f"{told}: held-out NDCG {best:.4f}")
    return choice, trial.figures(choice)


def _steps(
    interactions: Interactions, text: Vectors | None
) -> Iterator[tuple[tuple[str, ...], list[tuple[float, ...]]]]:
    """Which settings are tried together, and their values: the costly ones alone."""
    yield ("half_life",), list(product(HALF_LIVES))
    yield ("regularisation",), list(product(REGULARISATIONS))
    if len(interactions.kind_names) > 1:
        yield ("rarity",), list(product(RARITIES))
    yield ("repeat", "popularity"), list(product(REPEATS, POPULARITIES))
    yield ("popularity_days",), list(product(POPULARITY_DAYS))
    if text is not None:
        yield ("text",), list(product(TEXTS))


class _Trial:
    """The past up to the held-out days, and the customers who came back in them."""

    def __init__(
        self, past: Interactions, wanted: Matrix, rows: NDArray[np.intp], text: Vectors | None
    ) -> None:
        self._past = past
        self._rows = rows
        self._wanted = wanted[rows]
        self._text = text
        self._behaviour: dict[tuple[float, ...], tuple[Vectors, Matrix]] = {}

    @classmethod
    def of(cls, interactions: Interactions, text: Vectors | None, *, seed: int) -> "_Trial | None":
        if not len(interactions.days):
            return None
        span = interactions.now - float(interactions.days.min())
        past, future = interactions.split(interactions.now - min(HELD_OUT_DAYS, span / 5))
        wanted = future.taken()
        came_back = np.bincount(past.customers, minlength=past.customer_count) > 0
        came_back &= np.asarray(wanted.sum(axis=1)).ravel() > 0
        rows = np.flatnonzero(came_back)
        if len(rows) < FEWEST:
            return None
        most = max(FEWEST, min(MOST, CELLS // past.item_count))
        rows = np.random.default_rng(seed).permutation(rows)[:most]
        return cls(past, wanted, rows, text)

    def ndcg(self, choice: Choice) -> float:
        return _ndcg(_top(self._scores(choice)), self._wanted)

    def figures(self, choice: Choice) -> dict[str, float]:
        top = _top(self._scores(choice))
        popular = self._past.popularity(days=HELD_OUT_DAYS)
        list_ = np.tile(_top(popular[None, :]), (len(self._rows), 1))
        return {
            "ndcg10": _ndcg(top, self._wanted),
            "recall10": _recall(top, self._wanted),
            "popularity_ndcg10": _ndcg(list_, self._wanted),
            "coverage": len(np.unique(top)) / self._past.item_count,
            "customers": float(len(self._rows)),
        }

    def _scores(self, choice: Choice) -> Vectors:
        behaviour, history = self._behave(choice)
        scores = behaviour + choice.popularity * self._past.popularity(days=choice.popularity_days)
        if choice.repeat:
            scores += np.asarray((choice.repeat * history).todense())
        if choice.text and self._text is not None:
            scores += choice.text * ((history @ self._text) @ self._text.T)
        return np.asarray(scores, dtype=np.float32)

    def _behave(self, choice: Choice) -> tuple[Vectors, Matrix]:
        """Behaviour's scores and the histories, of length one; kept, for most settings share it."""
        key = (choice.half_life, choice.regularisation, choice.rarity)
        if key not in self._behaviour:
            kinds = kind_weights(self._past, choice.rarity)
            matrix = self._past.matrix(half_life=choice.half_life, kind_weights=kinds)
            weights = linear.weights(matrix, regularisation=choice.regularisation)
            history = normalise(matrix[self._rows])
            self._behaviour = {key: (np.asarray((history @ weights).todense()), history)}
        return self._behaviour[key]


def normalise(history: Matrix) -> Matrix:
    """Rows of length one: what counts is the mix of a history, not how long it is."""
    from scipy.sparse import diags

    lengths = np.sqrt(np.asarray(history.multiply(history).sum(axis=1)).ravel())
    return (diags(1 / np.maximum(lengths, 1e-9)) @ history).tocsr().astype(np.float32)


def _top(scores: Vectors) -> NDArray[np.intp]:
    count = min(TOP, scores.shape[1])
    top = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(top, order, axis=1))


def _found(top: NDArray[np.intp], wanted: Matrix) -> NDArray[Any]:
    return np.asarray(wanted[np.arange(len(top))[:, None], top].todense())


def _ndcg(top: NDArray[np.intp], wanted: Matrix) -> float:
    discounts = 1 / np.log2(np.arange(TOP) + 2)
    gains = _found(top, wanted) @ discounts[: top.shape[1]]
    counts = np.minimum(TOP, wanted.getnnz(axis=1))
    return float((gains / np.cumsum(discounts)[counts - 1]).mean())


def _recall(top: NDArray[np.intp], wanted: Matrix) -> float:
    return float((_found(top, wanted).sum(axis=1) / wanted.getnnz(axis=1)).mean())
