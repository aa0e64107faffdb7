"""Item-to-item weights from behaviour: a customer's history times the weights scores every item."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix, vstack

from ml.errors import DataError
from ml.recommend.interactions import Matrix

DENSE_BELOW = 16_000  # up to here the inverse that EASE needs fits a CPU's time and memory
KEPT = 200  # the weights that an item keeps; the rest add nearly nothing to the ranking
CHUNK = 1_000


def weights(history: Matrix, *, regularisation: float) -> Matrix:
    """Sparse float32[items, items], from a history item to a candidate, by the fitting method."""
    if not history.nnz:
        return csr_matrix((history.shape[1], history.shape[1]), dtype=np.float32)
    if history.shape[1] <= DENSE_BELOW:
        return ease(history, regularisation=regularisation)
    return item_knn(history, shrinkage=regularisation / 10)


def ease(history: Matrix, *, regularisation: float) -> Matrix:
    """The closed-form autoencoder of Steck 2019 (arXiv:1905.03375), its strongest weights.

    From sparse [customers, items]; takes a dense inverse, so time grows with items cubed.
    """
    gram = np.asarray((history.T @ history).todense(), dtype=np.float32)
    gram[np.diag_indices_from(gram)] += regularisation
    full = _inverse(gram)
    full /= -np.diag(full).copy()
    np.fill_diagonal(full, 0)
    return strongest(full)


def _inverse(gram: Any) -> Any:
    """Of a symmetric positive definite matrix, in half the time of a general one's; in its place."""
    factor, failed = lapack.spotrf(gram.T, overwrite_a=True)
    if not failed:
        inverse, failed = lapack.spotri(factor, overwrite_c=True)
    if failed:
        raise DataError("the events' matrix cannot be inverted; are all values finite?")
    upper = np.triu(inverse)
    return upper + np.triu(upper, 1).T


def item_knn(history: Matrix, *, shrinkage: float) -> Matrix:
    """Shrunk cosine similarity between items, each item's nearest (Sarwar et al. 2001)."""
    columns = history.T.tocsr()
    lengths = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=1)).ravel())
    parts = []
    for start in range(0, columns.shape[0], CHUNK):
        products = (columns[start : start + CHUNK] @ history).tocoo()
        rows = products.row + start
        values = products.data / (lengths[rows] * lengths[products.col] + shrinkage)
        values[rows == products.col] = 0
        kept = _first_of_each(products.row, values)
        entries = (values[kept], (products.row[kept], products.col[kept]))
        parts.append(csr_matrix(entries, products.shape, dtype=np.float32))
    return vstack(parts, format="csr")


def _first_of_each(rows: NDArray[np.int32], values: NDArray[Any]) -> NDArray[np.intp]:
    """Where the `KEPT` greatest values of each row are."""
    order = np.lexsort((-values, rows))
    ordered = rows[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    counts = np.diff([*starts, len(ordered)])
    place = np.arange(len(ordered)) - np.repeat(starts, counts)
    return np.asarray(order[place < KEPT])


def strongest(full: Any) -> Matrix:
    """Sparse float32, of each row the `KEPT` weights that are farthest from nothing."""
    items = full.shape[1]
    if items > KEPT:
        weak = np.argpartition(np.abs(full), items - KEPT, axis=1)[:, : items - KEPT]
        np.put_along_axis(full, weak, 0, axis=1)
    return csr_matrix(full, dtype=np.float32)
