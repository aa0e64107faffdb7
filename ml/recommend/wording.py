"""Likeness in text: what speaks for an item that nobody has taken yet."""

import numpy as np

from ml.errors import DataError
from ml.recommend.interactions import Matrix
from ml.recommend.signals import EXACT_BELOW
from ml.types import Vectors

NEIGHBOURS = 100
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
    from scipy.sparse import csr_matrix

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
