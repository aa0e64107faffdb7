"""What of a catalog a model may recommend, worked out once for many customers."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.recommend.interactions import Matrix
from ml.types import Vectors


@dataclass(frozen=True, slots=True)
class Offer:
    """All candidates of one model: those it was fitted on, then the newer ones.

    `new` is float32[newer ones, d], their centred vectors, and `kin` sparse float32[newer
    ones, items], which of the model's items stand for them. `open` says which candidates may be
    recommended at all.
    """

    ids: list[str]
    places: dict[str, int]
    new: Vectors
    kin: Matrix
    open: NDArray[np.bool_]

    def only(self, items: Collection[str]) -> Self:
        """Of these items what may be recommended."""
        chosen = np.zeros_like(self.open)
        chosen[[self.places[item] for item in items if item in self.places]] = True
        return replace(self, open=self.open & chosen)

    def left(self, exclude: Collection[str]) -> NDArray[np.bool_]:
        """bool[candidates]: what may be recommended now."""
        if not exclude:
            return self.open
        left = self.open.copy()
        left[[self.places[item] for item in exclude if item in self.places]] = False
        return left
