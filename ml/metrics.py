"""How good a model is. Thin over scikit-learn where it has the measure."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def accuracy(truth: Sequence[str], guesses: Sequence[str]) -> float:
    """The share that was guessed right, 0..1."""
    return float(np.mean(np.asarray(truth, dtype=object) == np.asarray(guesses, dtype=object)))


def macro_f1(truth: Sequence[str], guesses: Sequence[str]) -> float:
    """The mean of the classes' F1, 0..1: a rare class counts as much as a frequent one."""
    from sklearn.metrics import f1_score

    return float(f1_score(list(truth), list(guesses), average="macro", zero_division=0))


def auroc(positives: Floats, negatives: Floats) -> float:
    """The chance that a positive scores above a negative, ties counted half. 0..1."""
    from sklearn.metrics import roc_auc_score

    truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    return float(roc_auc_score(truth, np.r_[positives, negatives]))


def macro_auroc(truth: NDArray[np.intp], chances: Floats) -> float | None:
    """The mean AUROC of each class against the rest, by its column of float[n, classes].

    Classes of which no row is there, or every one, have none; None where that holds for all.
    """
    from scipy.stats import rankdata

    ranks = rankdata(chances, axis=0)
    counts = np.bincount(truth, minlength=chances.shape[1]).astype(float)
    sums = np.bincount(truth, weights=ranks[np.arange(len(truth)), truth], minlength=len(counts))
    some = (counts > 0) & (counts < len(truth))
    inside, outside = counts[some], len(truth) - counts[some]
    areas = (sums[some] - inside * (inside + 1) / 2) / (inside * outside)
    return float(areas.mean()) if len(areas) else None


def ece(confidences: Floats, correct: NDArray[np.bool_], *, bins: int = 15) -> float:
    """The expected calibration error, 0..1: by how much confidence and accuracy differ.

    Over bins of equal width, weighted by how many fall in (Guo et al. 2017, arXiv:1706.04599).
    """
    places = np.clip((np.asarray(confidences) * bins).astype(int), 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    gaps = np.bincount(places, weights=np.asarray(confidences) - correct, minlength=bins)
    return float(np.abs(gaps).sum() / max(1, counts.sum()))


def ndcg_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """The normalised discounted cumulative gain of one list, 0..1, all relevant ones worth 1."""
    wanted = set(relevant)
    if not wanted:
        return 0.0
    hits = np.zeros((1, k), dtype=bool)
    hits[0, : len(ranked)] = [item in wanted for item in ranked[:k]]
    return float(ndcg(hits, np.array([len(wanted)]))[0])


def ndcg(hits: NDArray[np.bool_], wanted: NDArray[np.intp]) -> NDArray[np.float64]:
    """float64[n], the same of n lists: bool[n, k] says which of their places hit, int[n] how many
    there were to hit, at least one each."""
    discounts = 1 / np.log2(np.arange(max(hits.shape[1], 1)) + 2)
    best = np.cumsum(discounts)[np.minimum(wanted, len(discounts)) - 1]
    return np.asarray(hits @ discounts[: hits.shape[1]] / best)


def best_first(scores: Floats, k: int) -> NDArray[np.intp]:
    """int[n, k]: the places of the k highest of each row of float[n, m], the highest first, of
    equal ones the first."""
    count = min(k, scores.shape[1])
    if count < 1:
        return np.zeros((len(scores), 0), dtype=np.intp)
    top = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(top, order, axis=1))
