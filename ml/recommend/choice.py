"""Chooses how the linear model reads the past, on the last part of the tenant's own past."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from ml import metrics
from ml.recommend import linear
from ml.recommend.interactions import BOUGHT, Interactions, Matrix
from ml.types import Progress

MOST_ITEMS = 3_000  # the best-selling ones, which a choice is made on: time grows with their cube
MOST_CUSTOMERS = 2_000

HALF_LIVES = (90.0, 30.0, 365.0, 7.0, 2.0)
REGULARISATIONS = (50.0, 10.0, 200.0)
RARITIES = (0.5, 0.0, 1.0)
REPEAT, POPULARITY = 1.0, 0.3  # what else counts while the choice is made
NEVER = 1e3  # times the strength of an item in the past, where nothing is taken again
TOP = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """In days: after how many an event counts half. `rarity` is how much more a rare kind of event
    weighs than a frequent one."""

    half_life: float = 90.0
    regularisation: float = 50.0
    rarity: float = 0.5

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
    past: Interactions, wanted: Matrix, *, again: bool, seed: int, progress: Progress
) -> Choice:
    """The best settings found, one after another, for what customers then `wanted`.

    `wanted` is sparse bool[customers, items]; `again` says whether items are taken again at all.
    """
    sold = np.argsort(-np.bincount(past.items, minlength=past.item_count), kind="stable")
    sold = np.sort(sold[:MOST_ITEMS])
    trial = _Trial(past.of_items(sold), wanted[:, sold], again=again, seed=seed)
    choice, best = Choice(), -1.0
    steps = list(_steps(past))
    for done, (field, values) in enumerate(steps):
        for value in values:
            candidate = replace(choice, **{field: value})
            quality = trial.ndcg(candidate)
            if quality > best:
                best, choice = quality, candidate
        line = f"{field} {getattr(choice, field):g}: held-out NDCG {best:.4f}"
        progress((done + 1) / len(steps), line)
    return choice


def _steps(past: Interactions) -> Iterator[tuple[str, tuple[float, ...]]]:
    yield "half_life", HALF_LIVES
    yield "regularisation", REGULARISATIONS
    if len(past.kind_names) > 1:
        yield "rarity", RARITIES


class _Trial:
    """A past, and some of the customers who wanted something after it."""

    def __init__(self, past: Interactions, wanted: Matrix, *, again: bool, seed: int) -> None:
        rows = np.flatnonzero(wanted.getnnz(axis=1))
        rows = np.random.default_rng(seed).permutation(rows)[:MOST_CUSTOMERS]
        self._repeat = REPEAT if again else -NEVER
        self._past = past
        self._rows = rows
        self._wanted = wanted[rows]

    def ndcg(self, choice: Choice) -> float:
        if not len(self._rows):
            return 0.0
        matrix = self._past.matrix(
            half_life=choice.half_life, kind_weights=kind_weights(self._past, choice.rarity)
        )
        weights = linear.weights(matrix, regularisation=choice.regularisation)
        history = normalise(matrix[self._rows])
        scores = np.asarray((history @ weights + self._repeat * history).todense())
        scores += POPULARITY * self._past.popularity(days=28)
        top = metrics.best_first(scores, TOP)
        hits = np.asarray(self._wanted[np.arange(len(top))[:, None], top].todense())
        return float(metrics.ndcg(hits, self._wanted.getnnz(axis=1)).mean())


def normalise(history: Matrix) -> Matrix:
    """Rows of length one: what counts is the mix of a history, not how long it is."""
    from scipy.sparse import diags

    lengths = np.sqrt(np.asarray(history.multiply(history).sum(axis=1)).ravel())
    return (diags(1 / np.maximum(lengths, 1e-9)) @ history).tocsr().astype(np.float32)
