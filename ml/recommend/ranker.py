"""How a ranking weighs its signals, learned from what customers took next."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.recommend.signals import BY_KIN, BY_LIKENESS
from ml.types import Vectors

FEWEST = 100  # decisions that weights are learned from
PENALTY = 1e-3
TOP = 10
FACTORS = (0.0, 0.5, 0.8, 1.25, 2.0, 4.0)  # what a weight is tried times
SHARES = (-0.5, -0.1, 0.1, 0.5)  # of the greatest weight, what is tried added to one
ROUNDS = 3
ENOUGH = 1e-4  # a round that gains less is the last
LEVELS = (10, 30, 100, 1_000)  # places at which the most promising new item may stand
LINED = 200  # customers that such a line is drawn for
LINE = 10  # the last promising one that a line is drawn through, and times the level's place
# Of what kin lend, likeness in text having 1; chosen on items of Beauty that were hidden as new,
# older ones than those that it is measured on.
SPREAD = 1.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """float32[signals]: what each signal counts. For a customer with a past, an item that nobody
    has taken yet counts by its promise alone, by a line of its own: `base` + `slope` of it.

    Its promise, too, is signals times weights: its likeness in text and the behaviour that its kin
    lend it.
    """

    weights: Vectors
    promising: Vectors
    base: float = 0.0
    slope: float = 1.0

    def scores(self, found: Vectors, cold: NDArray[np.bool_]) -> Vectors:
        """float32[candidates] of signals float32[signals, candidates]."""
        scores = self.weights @ found
        scores[cold] = self.base + self.slope * self.promise(found[:, cold])
        return np.asarray(scores, dtype=np.float32)

    def promise(self, found: Vectors) -> Vectors:
        """float32[...] of signals float32[signals, ...]."""
        return np.tensordot(self.promising, found, axes=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a customer could have taken, float32[signals, candidates], which of it nobody had taken
    before, and what was taken. `wanted` counts also what was taken and is no candidate."""

    signals: Vectors
    cold: NDArray[np.bool_]
    taken: NDArray[np.bool_]
    wanted: int


class Decisions:
    """Many decisions side by side, padded with what cannot be taken."""

    def __init__(self, decisions: list[Decision]) -> None:
        shape = (len(decisions), max(len(decision.taken) for decision in decisions))
        self._whole = np.zeros((len(decisions[0].signals), *shape), dtype=np.float32)
        self._cold, self._taken = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self._none = np.ones(shape, dtype=bool)
        for row, decision in enumerate(decisions):
            size = len(decision.taken)
            self._whole[:, row, :size] = decision.signals
            self._cold[row, :size] = decision.cold
            self._taken[row, :size] = decision.taken
            self._none[row, :size] = False
        self._wanted = np.array([decision.wanted for decision in decisions])

    def likeliest(self) -> Vectors:
        """float32[signals]: weights that maximise the likelihood of a conditional logit (McFadden
        1974), for several items taken at once that of ListNet (Cao et al. 2007), with a small
        penalty on the weights of standardised signals. Items without a past are left out."""
        from scipy.optimize import minimize

        apart = self._none | self._cold
        taken = self._taken & ~apart
        rows = taken.any(axis=1)
        whole, apart, taken = self._whole[:, rows], apart[rows], taken[rows]
        scale = whole.std(axis=(1, 2))
        scale[scale == 0] = 1.0
        target = taken / np.maximum(taken.sum(axis=1, keepdims=True), 1).astype(np.float32)

        def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            scores = np.tensordot((weights / scale).astype(np.float32), whole, axes=1)
            scores[apart] = -np.inf
            scores -= scores.max(axis=1, keepdims=True, initial=-1e9)
            chances = np.exp(scores)
            sums = chances.sum(axis=1, keepdims=True)
            said = float(np.log(sums).sum() - scores[taken] @ target[taken])
            slope = np.tensordot(whole, chances / sums - target, axes=2) / scale
            count = max(1, len(sums))
            return (
                said / count + PENALTY * float(weights @ weights) / 2,
                slope.astype(np.float64) / count + PENALTY * weights,
            )

        found = minimize(loss, np.zeros(len(whole)), jac=True, method="L-BFGS-B")
        return np.asarray(found.x / scale, dtype=np.float32)

    def ndcg(self, ranking: Ranking) -> float:
        """NDCG@10."""
        return self._ndcg(np.tensordot(ranking.weights, self._whole, axes=1), ranking)

    def climbed(self, ranking: Ranking) -> Ranking:
        """The ranking whose NDCG is best, found weight by weight (Metzler and Croft 2007)."""
        scores = np.tensordot(ranking.weights, self._whole, axes=1)
        best = self._ndcg(scores, ranking)
        for _ in range(ROUNDS):
            before = best
            for place in range(len(ranking.weights)):
                for value in _tries(ranking.weights, place):
                    by = value - ranking.weights[place]
                    tried = scores + np.float32(by) * self._whole[place]
                    quality = self._ndcg(tried, ranking)
                    if quality > best:
                        best, scores = quality, tried
                        weights = ranking.weights.copy()
                        weights[place] = value
                        ranking = replace(ranking, weights=weights)
            if best - before < ENOUGH:
                break
        return ranking

    def _ndcg(self, warm: Vectors, ranking: Ranking) -> float:
        """Of the scores of what is not new."""
        new = ranking.base + ranking.slope * ranking.promise(self._whole)
        scores = np.where(self._cold, new, warm)
        scores[self._none] = -np.inf
        top = metrics.best_first(scores, TOP)
        hits = np.take_along_axis(self._taken, top, axis=1)
        return float(metrics.ndcg(hits, self._wanted).mean())


def _tries(weights: Vectors, place: int) -> list[float]:
    greatest = float(np.abs(weights).max())
    value = float(weights[place])
    return [value * factor for factor in FACTORS] + [value + share * greatest for share in SHARES]


def learn(decisions: list[Decision], start: Ranking) -> Ranking:
    """The ranking under which what was taken stands first, from `start` or from the likeliest.

    Of few decisions there is only chance to be learned: `start` is left as it is, but for the worth
    of likeness in text.
    """
    if not decisions:
        return start
    whole = Decisions(decisions)
    lined = [_lined(decisions, start, level) for level in LEVELS]
    start = max(lined, key=whole.ndcg)
    if len(decisions) < FEWEST:
        return start
    likely = replace(start, weights=whole.likeliest())
    lined = [_lined(decisions, likely, level) for level in LEVELS]
    ranking = whole.climbed(max(start, *lined, key=whole.ndcg))
    return max(ranking, *(_lined(decisions, ranking, level) for level in LEVELS), key=whole.ndcg)


def _lined(decisions: list[Decision], ranking: Ranking, level: int) -> Ranking:
    """With a worth of promise by which, in the mean over customers, the most promising item stands
    at that place among the others, and the tenth most at ten times that place."""
    ranking = replace(ranking, promising=_promising(decisions[:LINED]))
    scores, promises = [], []
    for decision in decisions[:LINED]:
        ranked = np.sort(ranking.weights @ decision.signals)[::-1]
        promising = np.sort(ranking.promise(decision.signals))[::-1]
        last = len(ranked) - 1
        scores.append((ranked[min(level - 1, last)], ranked[min(LINE * level - 1, last)]))
        promises.append((promising[0], promising[min(LINE - 1, last)]))
    high, low = np.mean(scores, axis=0)
    first, tenth = np.mean(promises, axis=0)
    slope = (high - low) / max(first - tenth, 1e-6)
    return replace(ranking, base=float(high - slope * first), slope=float(slope))


def _promising(decisions: list[Decision]) -> Vectors:
    """float32[signals]: weights by which each part of a promise spreads as far as it should."""
    spreads = np.mean([decision.signals.std(axis=1) for decision in decisions], axis=0)
    wanted = np.zeros(len(spreads), dtype=np.float32)
    wanted[BY_LIKENESS], wanted[BY_KIN] = 1.0, SPREAD
    return np.where(spreads > 0, wanted / np.maximum(spreads, 1e-9), 0).astype(np.float32)
