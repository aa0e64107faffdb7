"""Which messages are worth a person's label: those a model is unsure of, and unlike each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.errors import DataError
from ml.types import Vectors


def margin(chances: NDArray[np.floating]) -> NDArray[np.float64]:
    """How unsure, float64[n] in 0..1: one less the lead of the likeliest label, of float[n, labels]."""
    if chances.shape[1] < 2:
        return np.zeros(len(chances))
    best = np.sort(chances.astype(np.float64), axis=1)[:, -2:]
    return np.asarray(1.0 - (best[:, 1] - best[:, 0]))


def choose(
    vectors: Vectors, doubt: NDArray[np.floating], count: int, *, seed: int = 0
) -> list[int]:
    """Up to `count` rows of unit vectors, float32[n, d], the first the most worth a label.

    Seeds of k-means++ (Arthur and Vassilvitskii 2007) weighted by `doubt`, float[n] in 0..1: the
    product of distance to what is chosen and doubt, as BADGE (Ash et al. 2020, arXiv:1906.03671).
    Equal texts are chosen once. Raises `DataError` where the two do not fit.
    """
    if len(vectors) != len(doubt):
        raise DataError(f"{len(vectors)} vectors and {len(doubt)} doubts do not fit")
    chance = np.random.default_rng(seed)
    weight = np.maximum(np.asarray(doubt, dtype=np.float64), 1e-3) ** 2
    distance = np.ones(len(vectors))
    chosen: list[int] = []
    while len(chosen) < min(count, len(vectors)):
        worth = distance * weight
        if worth.sum() <= 1e-9:
            break
        # The first is the one most in doubt; the others are drawn.
        row = int(chance.choice(len(worth), p=worth / worth.sum())) if chosen else worth.argmax()
        chosen.append(int(row))
        apart = np.clip(1.0 - vectors @ vectors[row], 0.0, None)
        distance = np.minimum(distance, np.where(apart < 1e-4, 0.0, apart))
    return chosen
