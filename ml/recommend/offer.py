"""What of a catalog a model may recommend, worked out once for many customers."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.types import Vectors


@dataclass(frozen=True, slots=True)
class Offer:
    """All candidates of one model: those it was fitted on, then the newer ones.

    `new` is float32[newer ones, d], their centred vectors. `open` says which candidates may be
    recommended at all.
    """

    ids: list[str]
    places: dict[str, int]
    new: Vectors
    open: NDArray[np.bool_]

    def candidates(self, exclude: Collection[str]) -> NDArray[np.intp]:
        """The places of what may be recommended now."""
        if not exclude:
            return np.flatnonzero(self.open)
        left = self.open.copy()
        left[[self.places[item] for item in exclude if item in self.places]] = False
        return np.flatnonzero(left)
