"""How far a text is from everything the model was taught."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.head import Rows
from ml.types import Tensors, Vectors

LEAST_SHARE = 0.3


class Novelty:
    """The relative Mahalanobis distance to the nearest class (Ren et al. 2021, arXiv:2106.09022).

    A class is a Gaussian around its mean with the covariance that all classes share; from its
    distance the one to the Gaussian of all examples is taken away, because a text that is far
    from everything in directions that tell nothing is not news.
    """

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors

    @classmethod
    def fit(cls, vectors: Vectors, classes: Rows) -> Self:
        names, rows = np.unique(classes, return_inverse=True)
        counts = np.bincount(rows)
        means = np.zeros((len(names), vectors.shape[1]), dtype=np.float64)
        np.add.at(means, rows, vectors)
        means /= counts[:, None]
        centre = vectors.mean(axis=0, dtype=np.float64)
        away = vectors - centre
        # Classes of one example show no spread of their own; real ones have a share of the whole.
        least = LEAST_SHARE * float(np.square(away).mean())
        within = _precision(vectors - means[rows], least=least)
        overall = _precision(away, least=least) if len(names) > 1 else np.zeros_like(within)
        means -= centre
        return cls(
            {
                "centre": centre.astype(np.float32),
                "pull": (within @ means.T).astype(np.float32),
                "offset": np.einsum("cd,de,ce->c", means, within, means).astype(np.float32),
                "square": (within - overall).astype(np.float32),
            }
        )

    def familiarity(self, vectors: Vectors) -> Vectors:
        """float32[n], the negative distance: the higher, the more like something known."""
        t = self.tensors
        away = vectors - t["centre"]
        squares = np.einsum("nd,nd->n", away @ t["square"], away)
        nearest = (2 * (away @ t["pull"]) - t["offset"]).max(axis=1)
        familiarity: Vectors = nearest - squares
        return familiarity


def _precision(deviations: NDArray[Any], *, least: float) -> NDArray[Any]:
    """The inverse covariance, drawn towards a sphere as far as the examples are too few for it."""
    count, width = deviations.shape
    covariance = deviations.T @ deviations / count
    share = 0.05 + 0.95 * width / (width + count)
    sphere = max(float(np.trace(covariance)) / width, least, 1e-6)
    return np.linalg.inv((1 - share) * covariance + share * sphere * np.eye(width))
