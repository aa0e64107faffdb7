"""Likeness in text: what speaks for an item that nobody has taken yet."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ml.errors import DataError
from ml.recommend.interactions import Matrix
from ml.recommend.signals import EXACT_BELOW
from ml.types import Tensors, Vectors
from ml.vectors import unit

NEIGHBOURS = 100
EVENNESS, SHRINKAGE = 0.25, 0.1  # how much the directions of texts are evened out
RIDGE = 0.01  # of the mean variance
KIN, SHARPNESS = 20, 0.2  # known items that stand for a new one, and how much the likest of them
WIDTH = 64  # principal directions that neighbours are looked for in
LOOKED_AT = 8  # of the cells that neighbours are looked for in


@dataclass(frozen=True, slots=True)
class Lens:
    """How a shop's texts are looked at: float32[d] and float32[d, d].

    Texts of one shop are alike, and differ most in what matters least. Vectors are taken around their
    mean, and directions in which they vary much count less (whitening to a quarter power of the
    variance, its eigenvalues shrunk to their mean).
    """

    centre: Vectors
    directions: Vectors

    @classmethod
    def of(cls, vectors: Vectors) -> Self:
        """For float32[items, d], one item at least."""
        centre = vectors.mean(axis=0)
        away = vectors - centre
        spreads, directions = np.linalg.eigh(away.T @ away / len(vectors))
        spreads = np.maximum(spreads, 0) + SHRINKAGE * spreads.mean() + 1e-12
        evened = np.asarray(directions * spreads**-EVENNESS, dtype=np.float32)
        return cls(centre, evened)

    @classmethod
    def onto(cls, vectors: Vectors, seen: Vectors) -> Self:
        """The lens under which float32[items, d] look as nearly as they can like others, of the same
        items: for texts that the encoder of those will not read (ridge regression)."""
        centre = vectors.mean(axis=0)
        away = vectors - centre
        gram = away.T @ away
        gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / len(gram) + 1e-9
        return cls(centre, np.asarray(np.linalg.solve(gram, away.T @ seen), dtype=np.float32))

    @classmethod
    def read(cls, tensors: Tensors) -> Self | None:
        """The one stored among these."""
        if "centre" not in tensors:
            return None
        return cls(tensors["centre"], tensors["directions"])

    def tensors(self) -> Tensors:
        return {"centre": self.centre, "directions": self.directions}

    def seen(self, vectors: Vectors) -> Vectors:
        """float32[n, d] of length one."""
        away = np.asarray(vectors - self.centre, dtype=np.float32)
        return unit(away @ self.directions)


@dataclass(frozen=True, slots=True)
class Reading:
    """The texts of a catalog, float32[items, d] of length one, the likest ones of each (`neighbours`),
    and the lens for the vectors of what comes later."""

    text: Vectors
    near: Matrix | None
    lens: Lens

    @classmethod
    def of(cls, vectors: Vectors) -> Self:
        lens = Lens.of(vectors)
        text = lens.seen(vectors)
        return cls(text, neighbours(text), lens)

    @classmethod
    def tuned(cls, tuned: Vectors, vectors: Vectors) -> Self:
        """Of the vectors by a tuned encoder; later items will have such as `vectors`, untuned ones."""
        text = Lens.of(tuned).seen(tuned)
        return cls(text, neighbours(text), Lens.onto(vectors, text))


def check(vectors: Vectors, count: int) -> None:
    """Raises `DataError` where vectors are not those of so many items."""
    if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
        raise DataError(f"{count} items and vectors of shape {vectors.shape} do not fit")


def neighbours(text: Vectors | None) -> Matrix | None:
    """Sparse float32[items, items], each item's likest ones; None where all items are looked at."""
    if text is None or len(text) <= EXACT_BELOW:
        return None
    likeness, columns = _nearest(text, text, NEIGHBOURS)
    return _rows(likeness, columns, len(text))


def kin(text: Vectors | None, cold: NDArray[np.bool_], new: Vectors) -> Matrix:
    """Sparse float32[new, items]: for each new text the likest items that have a past, with weights
    that sum to one."""
    warm = np.flatnonzero(~cold)
    if text is None or not len(warm) or not len(new):
        return csr_matrix((len(new), len(cold)), dtype=np.float32)
    likeness, columns = _nearest(text[warm], new, min(KIN, len(warm)))
    weights = np.where(columns >= 0, np.exp((likeness - likeness[:, :1]) / SHARPNESS), 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return _rows(weights, np.where(columns >= 0, warm[columns], -1), len(cold))


def _nearest(known: Vectors, new: Vectors, count: int) -> tuple[Vectors, NDArray[np.int64]]:
    """For each row of `new` its likest known ones, the likest first: float32 and int64[new, count],
    -1 for none. Among many it looks along the principal directions and in some cells alone."""
    import faiss

    if len(known) <= EXACT_BELOW:
        whole = faiss.IndexFlatIP(known.shape[1])
        whole.add(np.ascontiguousarray(known))
        exact: tuple[Vectors, NDArray[np.int64]] = whole.search(np.ascontiguousarray(new), count)
        return exact
    _, directions = np.linalg.eigh(known.T @ known)
    narrow = directions[:, -WIDTH:]
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(narrow.shape[1]),
        narrow.shape[1],
        int(len(known) ** 0.5),
        faiss.METRIC_INNER_PRODUCT,
    )
    index.nprobe = LOOKED_AT
    index.train(unit(known @ narrow))
    index.add(unit(known @ narrow))
    found: tuple[Vectors, NDArray[np.int64]] = index.search(unit(new @ narrow), count)
    return found


def _rows(values: Vectors, columns: NDArray[np.int64], width: int) -> Matrix:
    """Sparse float32[rows, width] of what stands in columns other than -1."""
    found = columns >= 0
    starts = np.concatenate([[0], np.cumsum(found.sum(axis=1))])
    shape = (len(columns), width)
    return csr_matrix((values[found].astype(np.float32), columns[found], starts), shape)
