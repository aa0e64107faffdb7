"""How unlike talk about other things a text is."""

from typing import Any, Self

import numpy as np

from ml.types import Tensors, Vectors

C = 3.0


class Outliers:
    """A linear border between the examples of all intents and sentences about other things.

    Outlier exposure (Hendrycks et al. 2019, arXiv:1812.04606) with a small set that is the same for
    everybody: it teaches what small talk looks like, not what a tenant's own unknown looks like.
    """

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors

    @classmethod
    def fit(cls, vectors: Vectors, background: Vectors) -> Self:
        """From float32[n, d] of examples and float32[m, d] of sentences about other things."""
        from sklearn.linear_model import LogisticRegression

        centre = background.mean(axis=0)
        known = np.repeat([1, 0], [len(vectors), len(background)])
        # Both sides weigh the same, however many examples a tenant has.
        border = LogisticRegression(C=C, class_weight="balanced", max_iter=1_000)
        border.fit(np.concatenate([vectors, background]) - centre, known)
        weights = border.coef_[0].astype(np.float32)
        offset = border.intercept_ - weights @ centre
        return cls({"weights": weights, "offset": offset.astype(np.float32)})

    def familiarity(self, vectors: Vectors) -> Vectors:
        """float32[n]: the higher, the less like talk about other things."""
        found: Any = vectors @ self.tensors["weights"] + self.tensors["offset"]
        return np.asarray(found, dtype=np.float32)
