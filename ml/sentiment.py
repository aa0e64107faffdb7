"""How a customer feels who writes this: upset, pleased, or neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np

from ml.background import small_talk
from ml.head import Head, softmax
from ml.types import Vectors

Feeling = Literal["neutral", "negative", "positive"]
FEELINGS: tuple[Feeling, ...] = get_args(Feeling)
# How sure it must be of a feeling. Chosen with the kernel by leaving out a fifth of the examples in turn,
# and by how few training messages of three public intent sets, most of them questions, seem to have one.
SURE = 0.6
GAMMA, C = 0.25, 1.0


class Sentiment:
    """A kernel classifier on the encoder's vectors of examples written for it (ml/sentiment.txt).

    A plain report of a mishap is neutral: upset is who says so, or writes as one who is.
    """

    def __init__(self, head: Head) -> None:
        self._head = head

    @classmethod
    def fit(cls, encode: Callable[[Sequence[str]], Vectors]) -> Self:
        """On the vectors, float32[n, d], that `encode` makes of the examples."""
        examples = [*_examples(), *((FEELINGS[0], text) for text in small_talk())]
        vectors = encode([text for _, text in examples])
        classes = np.asarray([FEELINGS.index(feeling) for feeling, _ in examples], dtype=np.intp)
        return cls(Head.fit(vectors, classes, count=len(FEELINGS), gamma=GAMMA, c=C, seed=0))

    def judge(self, vector: Vectors) -> Feeling:
        """Of a message's float32[d], of the encoder as it is."""
        chances = softmax(self._head.logits(vector[None]))[0]
        likeliest = int(chances.argmax())
        return FEELINGS[likeliest] if chances[likeliest] >= SURE else FEELINGS[0]


def _examples() -> list[tuple[Feeling, str]]:
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    parts = (line.partition("\t") for line in lines)
    return [(FEELINGS[FEELINGS.index(feeling)], text) for feeling, _, text in parts]
