"""How like what a model was taught a text is: two signs, the one of examples, the other of the rest."""

from typing import Self

import numpy as np

from ml.head import Rows
from ml.novelty import Novelty
from ml.outliers import Outliers
from ml.types import Tensors, Vectors


class Familiarity:
    """The distance to the examples, and the side of the border to talk about other things."""

    def __init__(self, novelty: Novelty, outliers: Outliers | None) -> None:
        self._novelty = novelty
        self._outliers = outliers

    @classmethod
    def fit(cls, vectors: Vectors, classes: Rows, background: Vectors | None) -> Self:
        """`background` is float32[m, d] of sentences about other things; None leaves that sign out."""
        outliers = None if background is None else Outliers.fit(vectors, background)
        return cls(Novelty.fit(vectors, classes), outliers)

    @classmethod
    def restore(cls, tensors: Tensors) -> Self:
        outliers = _part(tensors, "outliers.")
        novelty = Novelty(_part(tensors, "novelty."))
        return cls(novelty, Outliers(outliers) if outliers else None)

    @property
    def tensors(self) -> Tensors:
        parts = {"novelty": self._novelty.tensors}
        if self._outliers is not None:
            parts["outliers"] = self._outliers.tensors
        return {f"{part}.{name}": t for part, found in parts.items() for name, t in found.items()}

    def signs(self, vectors: Vectors) -> Vectors:
        """float32[n, 1 or 2]: the higher, the more familiar."""
        found = [self._novelty.familiarity(vectors)]
        if self._outliers is not None:
            found.append(self._outliers.familiarity(vectors))
        return np.stack(found, axis=1)


def _part(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
