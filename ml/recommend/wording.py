"""Likeness in text: what speaks for an item that nobody has taken yet."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from ml.errors import DataError
from ml.recommend import linear
from ml.recommend.interactions import Matrix
from ml.recommend.signals import EXACT_BELOW
from ml.types import Vectors

NEIGHBOURS = 100
KIN, SHARPNESS = 50, 0.2  # known items that stand for a new one, and how much the likest of them
WIDTH = 64  # principal directions that neighbours are looked for in
BLOCK = 2_000


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


def neighbours(text: Vectors | None) -> Matrix | None:
    """Sparse float32[items, items], each item's likest ones; None where all items are looked at."""
    if text is None or len(text) <= EXACT_BELOW:
        return None
    _, directions = np.linalg.eigh(text.T @ text)
    narrow = unit(text @ directions[:, -WIDTH:])
    columns, values = [], []
    for start in range(0, len(narrow), BLOCK):
        likeness = narrow[start : start + BLOCK] @ narrow.T
        best = np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        columns.append(best)
        values.append(np.take_along_axis(likeness, best, axis=1))
    rows = np.arange(len(text) + 1) * NEIGHBOURS
    return csr_matrix((np.concatenate(values).ravel(), np.concatenate(columns).ravel(), rows))


def kin(text: Vectors | None, cold: NDArray[np.bool_], new: Vectors) -> Matrix:
    """Sparse float32[items, new]: for each new text the likest items that have a past, with weights
    that sum to one."""
    warm = np.flatnonzero(~cold)
    count = min(KIN, len(warm))
    shape = (len(cold), len(new))
    if text is None or not count or not len(new):
        return csc_matrix(shape, dtype=np.float32)
    rows, values = [], []
    for start in range(0, len(new), BLOCK):
        likeness = new[start : start + BLOCK] @ text[warm].T
        best = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        chosen = np.take_along_axis(likeness, best, axis=1)
        weights = np.exp((chosen - chosen.max(axis=1, keepdims=True)) / SHARPNESS)
        rows.append(warm[best])
        values.append(weights / weights.sum(axis=1, keepdims=True))
    starts = np.arange(len(new) + 1) * count
    entries = (np.concatenate(values).ravel(), np.concatenate(rows).ravel(), starts)
    return csc_matrix(entries, shape, dtype=np.float32)


def with_kin(weights: Matrix, text: Vectors | None, cold: NDArray[np.bool_]) -> Matrix:
    """Weights of items by items in which one without a past has what its kin have in the mean."""
    if text is None or not cold.any() or cold.all():
        return weights
    lent = linear.strongest((weights @ kin(text, cold, text[cold])).toarray())
    entries = (lent.data, np.flatnonzero(cold)[lent.indices], lent.indptr)
    return weights + csr_matrix(entries, weights.shape, dtype=np.float32)
