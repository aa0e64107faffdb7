"""Search by the words themselves: names, numbers and codes that a vector blurs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log
from typing import Any, Self

import numpy as np

from ml.types import Vectors

# Chosen on half of InsuranceQA's Chinese questions. Characters and their pairs found more than the
# words of two dictionaries did there, and need none.
SATURATION, LENGTH = 0.9, 0.4
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff\uf900-\ufaff]+")


class LexicalIndex:
    """BM25 (Robertson and Zaragoza 2009) over words, Chinese ones by characters and their pairs."""

    def __init__(self, index: Any, idf: dict[str, float], count: int) -> None:
        self._index = index
        self._idf = idf
        self._count = count

    @classmethod
    def build(cls, texts: Sequence[str]) -> Self:
        import bm25s

        found = [list(tokens(text)) for text in texts]
        frequency = Counter(token for one in found for token in set(one))
        idf = {token: _idf(n, len(texts)) for token, n in frequency.items()}
        index = None
        if idf:
            index = bm25s.BM25(k1=SATURATION, b=LENGTH, method="lucene")
            index.index(found, show_progress=False)
        return cls(index, idf, len(texts))

    def shares(self, question: str) -> Vectors:
        """float32[texts]: what each text has of the most that the question's words could give, 0..1."""
        asked = list(dict.fromkeys(tokens(question)))
        known = [token for token in asked if token in self._idf]
        if not known:
            return np.zeros(self._count, dtype=np.float32)
        most = sum(self._idf.get(token) or _idf(0, self._count) for token in asked)
        return np.asarray(self._index.get_scores(known) / most, dtype=np.float32)


def tokens(text: str) -> Iterator[str]:
    """Words in small letters, and of Chinese its characters and their pairs."""
    for run in TOKEN.findall(text.casefold()):
        yield from _characters(run) if run[0] >= "\u3400" else (run,)


def _characters(run: str) -> Iterator[str]:
    yield from run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _idf(frequency: int, count: int) -> float:
    return log(1 + (count - frequency + 0.5) / (frequency + 0.5))
