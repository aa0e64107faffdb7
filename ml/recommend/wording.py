"""Likeness in text: what speaks for an item that nobody has taken yet."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import DataError
from ml.recommend.choice import normalise
from ml.recommend.interactions import Matrix
from ml.types import Vectors

LEVEL_WITH = 10  # the best new item stands level with this pick of the customer's


def centred(vectors: Vectors | None, count: int) -> Vectors | None:
    """The items' vectors around their mean: what an item has, not what all of them have."""
    if vectors is None or not count:
        return None
    if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
        raise DataError(f"{count} items and vectors of shape {vectors.shape} do not fit")
    return unit(vectors - vectors.mean(axis=0))


def unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def cold_weight(
    history: Matrix, weights: Matrix, popular: NDArray[Any], text: Vectors | None, *, seed: int
) -> float:
    """What likeness in text is worth for an item without behaviour.

    So much that, in the mean over customers, the likest item scores as their tenth pick does from
    behaviour and popularity.
    """
    if text is None or history.nnz == 0:
        return 1.0
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(history.getnnz(axis=1)))[:200]
    taste = normalise(history[rows])
    level = min(LEVEL_WITH, history.shape[1])
    scores = np.asarray((taste @ weights).todense()) + popular
    tenth = np.partition(scores, -level, axis=1)[:, -level].mean()
    likest = ((taste @ text) @ text.T).max(axis=1).mean()
    return float(np.clip(tenth / max(likest, 1e-6), 0.01, 10.0))
