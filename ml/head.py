"""The classifier on vectors: logistic regression on a kernel's features, a tuned linear head, or both."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.types import Tensors, Vectors

LANDMARKS = 1024
STEPS = 100
SUMMED = ("weight", "bias")  # what a head's logits are linear in

Rows = NDArray[np.intp]


class Head:
    """Multinomial logistic regression on Nystroem features of a Gaussian kernel.

    The kernel is taken at up to 1,024 of the examples (Williams and Seeger 2001): with fewer it is
    exact, and with many the cost grows linearly. On sentence vectors it is up to a point better
    than the same regression on the vectors themselves.
    """

    def __init__(self, tensors: Tensors, *, gamma: float) -> None:
        self.tensors = tensors
        self.gamma = gamma

    @classmethod
    def fit(
        cls, vectors: Vectors, classes: Rows, *, count: int, gamma: float, c: float, seed: int
    ) -> Self:
        """`classes` numbers each row's class, 0..count-1, and every number is taken."""
        features = Features(vectors, classes, gamma=gamma, seed=seed)
        return cls.on(features, np.arange(len(vectors)), classes, count=count, c=c)

    @classmethod
    def on(cls, features: "Features", rows: Rows, classes: Rows, *, count: int, c: float) -> Self:
        """Fits on some rows of features that several fits share. Some classes may be missing."""
        weight, bias = _regress(features.values[rows], classes[rows], count=count, c=c)
        return cls(features.fold(weight, bias), gamma=features.gamma)

    @classmethod
    def linear(cls, weight: Vectors) -> Self:
        """The head that was trained together with an adapter, from float32[classes, d]."""
        return cls({"linear": np.ascontiguousarray(weight.T)}, gamma=0.0)

    @classmethod
    def both(cls, weight: Vectors, instant: "Head", *, share: float) -> Self:
        """A tuned head to whose logits so much of an instant head's is added.

        It wants vectors of the adapter and of the encoder as it is, side by side. The two err at
        different texts: what was tuned forgets some of what the encoder knew.
        """
        if not share:
            return cls.linear(weight)
        part = {n: t * np.float32(share) for n, t in instant.tensors.items() if n in SUMMED}
        tensors = cls.linear(weight).tensors | instant.tensors | part
        return cls(tensors, gamma=instant.gamma)

    @property
    def reads_both(self) -> bool:
        """Whether it wants the encoder's own vectors beside the adapter's."""
        return "linear" in self.tensors and "landmarks" in self.tensors

    def logits(self, vectors: Vectors) -> Vectors:
        """float32[n, classes] of float32[n, d], or [n, 2 d] where it reads both."""
        linear = self.tensors.get("linear")
        if linear is None:
            return self._kernelled(vectors)
        tuned = np.asarray(vectors[:, : len(linear)] @ linear, dtype=np.float32)
        return tuned + self._kernelled(vectors[:, len(linear) :]) if self.reads_both else tuned

    def _kernelled(self, vectors: Vectors) -> Vectors:
        t = self.tensors
        kernel = _kernel((vectors - t["mean"]) / t["scale"], t["landmarks"], self.gamma)
        logits: Vectors = kernel @ t["weight"] + t["bias"]
        return logits


class Features:
    """Nystroem features of the examples, float32[n, landmarks], centred, of one scale."""

    def __init__(self, vectors: Vectors, classes: Rows, *, gamma: float, seed: int) -> None:
        self.gamma = gamma
        self._mean = vectors.mean(axis=0)
        self._scale = _or_one(np.sqrt(np.square(vectors - self._mean).mean()))
        scaled: Vectors = (vectors - self._mean) / self._scale
        self._landmarks = scaled[_spread(vectors, classes, seed)]
        values, axes = np.linalg.eigh(_kernel(self._landmarks, self._landmarks, gamma))
        self._whiten = (axes / np.sqrt(np.maximum(values, 1e-6))).astype(np.float32)
        raw = _kernel(scaled, self._landmarks, gamma) @ self._whiten
        self._centre = raw.mean(axis=0)
        raw -= self._centre
        # The regularisation counts on features as long as the scaled vectors are.
        length = _or_one(np.sqrt(np.square(raw).sum(axis=1).mean()))
        self._stretch = np.float32(np.sqrt(vectors.shape[1]) / length)
        self.values: Vectors = raw * self._stretch

    def fold(self, weight: Vectors, bias: Vectors) -> Tensors:
        """What a head of these features keeps: the kernel's landmarks and one weight for each."""
        weight = self._stretch * weight
        return {
            "mean": self._mean,
            "scale": np.asarray([self._scale], dtype=np.float32),
            "landmarks": self._landmarks,
            "weight": (self._whiten @ weight).astype(np.float32),
            "bias": (bias - self._centre @ weight).astype(np.float32),
        }


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def _regress(values: Vectors, classes: Rows, *, count: int, c: float) -> tuple[Vectors, Vectors]:
    """Weights float32[landmarks, classes] and bias; a class without an example is never likely."""
    import warnings

    from sklearn.linear_model import LogisticRegression

    present = np.unique(classes)
    weight = np.zeros((values.shape[1], count), dtype=np.float32)
    bias = np.full(count, -1e4, dtype=np.float32)
    bias[present] = 0
    if len(present) > 1:
        model = LogisticRegression(C=c, max_iter=STEPS, tol=1e-3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # few or contradictory examples are no news here
            model.fit(values, classes)
        both = len(present) == 2  # then scikit-learn has one row for two classes
        coefficients = np.r_[-model.coef_, model.coef_] / 2 if both else model.coef_
        intercept = np.r_[-model.intercept_, model.intercept_] / 2 if both else model.intercept_
        weight[:, present] = coefficients.T
        bias[present] = intercept
    return weight, bias


def _spread(vectors: Vectors, classes: Rows, seed: int) -> Rows:
    """Up to 1,024 rows, from every class in turn, the same text only once."""
    order = np.random.default_rng(seed).permutation(len(classes))
    order = order[np.argsort(turns(classes[order]), kind="stable")][: 2 * LANDMARKS]
    _, first = np.unique(vectors[order], axis=0, return_index=True)
    return order[np.sort(first)][:LANDMARKS]


def turns(classes: Rows) -> list[int]:
    """For each row, how many of its class stand before it."""
    seen: dict[int, int] = {}
    places = []
    for number in classes.tolist():
        places.append(seen.get(number, 0))
        seen[number] = places[-1] + 1
    return places


def _kernel(a: NDArray[Any], b: NDArray[Any], gamma: float) -> Vectors:
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None, :] - 2 * (a @ b.T)
    kernel: Vectors = np.exp(-gamma / a.shape[1] * np.maximum(squares, 0), dtype=np.float32)
    return kernel


def _or_one(scale: Any) -> np.float32:
    """A scale to divide by: texts that are all equal have none."""
    return np.float32(scale if scale > 1e-6 else 1.0)
