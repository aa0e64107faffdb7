"""A classifier by the wording alone, for many labelled texts: which of them are harmful, and how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import artifact, metrics
from ml.errors import DataError
from ml.head import softmax
from ml.types import Example, Tensors

KIND = "wording"
FINE = "fine"  # the label of what is no danger
# Chosen on a part cut from COLDataset's training texts: whole texts of 25,000 rows in 2 CPU seconds.
SLOTS, NGRAMS, C = 2**18, (1, 3), 10.0
HELD_OUT, FEWEST = 5, 10
FALSE = 0.01  # of the texts that are fine may be taken for a danger


class Wording:
    """Logistic regression on hashed runs of one to three characters, of any language.

    It finds slurs, spellings and turns of phrase that its examples have, and nothing that is said
    in other words: it stands beside a model that reads the meaning.
    """

    def __init__(
        self, labels: list[str], tensors: Tensors, threshold: float, scores: dict[str, float]
    ) -> None:
        self.labels = labels
        self.metrics = scores
        self._tensors = tensors
        self._threshold = threshold

    @classmethod
    def fit(cls, examples: Sequence[Example], *, seed: int = 0) -> Self:
        """On texts whose label is "fine" or what they are; a fifth is held out to measure it first.

        Raises `DataError` where no label is "fine", nothing else is there, or a label has fewer
        than ten texts.
        """
        labels = [e.label for e in examples]
        names = sorted(set(labels) - {FINE})
        if FINE not in labels or not names:
            raise DataError(f"label harmless texts '{FINE}' and others by what they are")
        few = sorted(name for name in (FINE, *names) if labels.count(name) < FEWEST)
        if few:
            raise DataError(f"there are fewer than {FEWEST} texts of {', '.join(few)}; add some")
        features = _features([e.text for e in examples])
        classes = np.asarray([(FINE, *names).index(label) for label in labels])
        held = np.random.default_rng(seed).permutation(len(classes)) < len(classes) // HELD_OUT
        trial = cls([FINE, *names], _regress(features[~held], classes[~held]), 1.0, {})
        chances, truth = trial._chances(features[held]), classes[held]
        threshold = float(np.quantile(1 - chances[truth == 0, 0], 1 - FALSE))
        guessed = chances.argmax(axis=1)
        scores = {
            "accuracy": float((guessed == truth).mean()),
            "macro_f1": metrics.macro_f1([*map(str, truth)], [*map(str, guessed)]),
            "caught": float((1 - chances[truth > 0, 0] > threshold).mean()),
        }
        return cls([FINE, *names], _regress(features, classes), threshold, scores)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""
        return [self.labels[best] for best in self._chances(_features(texts)).argmax(axis=1)]

    def surely(self, text: str) -> tuple[str, float]:
        """What a text is and how sure (0..1) where so much is certain that few fine ones reach it."""
        chances = self._chances(_features([text]))[0]
        danger = float(1 - chances[0])
        if danger <= self._threshold:
            return FINE, float(chances[0])
        return self.labels[1 + int(chances[1:].argmax())], danger

    def save(self, folder: Path) -> None:
        meta = {"labels": self.labels, "threshold": self._threshold, "metrics": self.metrics}
        artifact.save(folder, kind=KIND, tensors=self._tensors, meta=meta)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `ArtifactError` where there is no whole model of this kind."""
        tensors, meta = artifact.load(folder, kind=KIND)
        return cls(meta["labels"], tensors, meta["threshold"], meta["metrics"])

    def _chances(self, features: Any) -> NDArray[np.float64]:
        return softmax(np.asarray(features @ self._tensors["weight"] + self._tensors["bias"]))


def _features(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(
        analyzer="char", ngram_range=NGRAMS, n_features=SLOTS, alternate_sign=False
    )
    return hashed.transform(texts)


def _regress(features: Any, classes: NDArray[np.intp]) -> Tensors:
    """float32[slots, labels] and float32[labels]; of two labels the first weighs nothing."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=C, max_iter=300).fit(features, classes)
    weight, bias = fitted.coef_.T, fitted.intercept_
    if weight.shape[1] == 1:
        weight, bias = np.pad(weight, ((0, 0), (1, 0))), np.pad(bias, (1, 0))
    return {"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}
