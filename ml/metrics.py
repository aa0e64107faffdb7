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
    gains = [1 / np.log2(place + 2) for place, item in enumerate(ranked[:k]) if item in wanted]
    best = sum(1 / np.log2(place + 2) for place in range(min(k, len(wanted))))
    return float(sum(gains) / best)
