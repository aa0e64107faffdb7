"""What a text's spelling says of its intent: names, numbers and turns that a vector blurs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ml.head import Rows
from ml.types import Tensors, Vectors

# Chosen on parts of two sets' training texts: more slots, and longer runs, say no more.
SLOTS, LONGEST, C = 2**14, 3, 1.0
READ = 2_000  # characters; what a customer wants is said by then
WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Gram:
    """A run of characters in small letters, a word's border among them, at `start` to `end`."""

    text: str
    start: int
    end: int


class Spelling:
    """A linear classifier on hashed runs of one to three characters, of any language.

    One support vector machine for each class on tf-idf, which takes a second for ten thousand texts.
    Its margins are added to a head's logits: beside a kernel on the frozen encoder's vectors they gain
    up to two points, beside a tuned encoder little.
    """

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self._weight = tensors["weight"].astype(np.float32)

    @classmethod
    def fit(cls, texts: Sequence[str], classes: Rows, *, count: int) -> Self:
        """`classes` numbers each text's class, below `count`; some classes may be missing."""
        import warnings

        from sklearn.svm import LinearSVC

        counts = _counts(texts)
        df = np.bincount(counts.indices, minlength=SLOTS)
        idf = (np.log((1 + len(texts)) / (1 + df)) + 1).astype(np.float32)
        weight = np.zeros((SLOTS, count), dtype=np.float32)
        bias = np.full(count, -1, dtype=np.float32)
        present = np.unique(classes)
        if len(present) > 1:
            model = LinearSVC(C=C, random_state=0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # contradictory examples are no news here
                model.fit(_weighed(counts, idf), classes)
            both = len(present) == 2  # then scikit-learn has one row for two classes
            weight[:, present] = (np.r_[-model.coef_, model.coef_] if both else model.coef_).T
            bias[present] = np.r_[-model.intercept_, model.intercept_] if both else model.intercept_
        return cls({"idf": idf, "weight": weight.astype(np.float16), "bias": bias})

    @classmethod
    def counting(
        cls, share: float, texts: Sequence[str], classes: Rows, *, count: int
    ) -> Self | None:
        """With margins so many times as large; None for a share of 0."""
        if not share:
            return None
        tensors = cls.fit(texts, classes, count=count).tensors
        larger = {name: tensors[name] * np.float16(share) for name in ("weight", "bias")}
        return cls(tensors | larger)

    def margins(self, texts: Sequence[str]) -> Vectors:
        """float32[n, classes]."""
        found = _weighed(_counts(texts), self.tensors["idf"]) @ self._weight
        margins: Vectors = np.asarray(found + self.tensors["bias"], dtype=np.float32)
        return margins

    def characters(self, text: str, place: int) -> tuple[Vectors, float]:
        """What each character adds to a class's lead over the mean of all, and the lead of no text.

        A run's share is spread over its characters, and those of a run's repetitions are alike: the
        shares and the lead of no text add up to that of the text.
        """
        gains = np.zeros(len(text), dtype=np.float32)
        grams = list(_grams(text))
        if grams:
            slots = _counts([[gram.text] for gram in grams], split=list).indices
            features = _weighed(_counts([text]), self.tensors["idf"]).toarray()[0]
            lead = self._weight[:, place] - self._weight.mean(axis=1)
            shares = (features * lead / np.maximum(np.bincount(slots, minlength=SLOTS), 1))[slots]
            for gram, share in zip(grams, shares, strict=True):
                gains[gram.start : gram.end] += share / (gram.end - gram.start)
        bias = self.tensors["bias"]
        return gains, float(bias[place] - bias.mean())


def _grams(text: str) -> Iterator[Gram]:
    for word in WORD.finditer(text[:READ]):
        start, end = word.span()
        # Half a surrogate pair, which a broken client can send, cannot be hashed.
        whole = word.group().encode(errors="replace").decode()
        letters = [" ", *map(str.lower, whole), " "]
        for size in range(1, LONGEST + 1):
            for at in range(len(letters) - size + 1):
                # A border alone is of the word that it is the border of.
                left, right = max(start, start + at - 1), min(end, start + at + size - 1)
                alone = left >= right
                place = (start, end) if alone else (left, right)
                yield Gram("".join(letters[at : at + size]), *place)


def _words(text: str) -> list[str]:
    return [gram.text for gram in _grams(text)]


def _counts(texts: Sequence[Any], *, split: Any = _words) -> Any:
    """How often each text has the runs of each slot, float64[n, slots], sparse."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(analyzer=split, n_features=SLOTS, alternate_sign=False, norm=None)
    return hashed.transform(texts)


def _weighed(counts: Any, idf: Vectors) -> Any:
    """tf-idf of length one: how often a run stands there counts by its logarithm."""
    from sklearn.preprocessing import normalize

    weighed = counts.copy()
    weighed.data = (1 + np.log(weighed.data)) * idf[weighed.indices]
    return normalize(weighed)
