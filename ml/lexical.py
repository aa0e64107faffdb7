"""Search by the words themselves: names, numbers and codes that a vector blurs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.types import Vectors

# Chosen on half of InsuranceQA's Chinese questions. Characters and their pairs found more than the
# words of two dictionaries did there, and need none.
SATURATION, LENGTH = 0.9, 0.4
TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff\uf900-\ufaff]+")

Tokens = NDArray[np.int64]
Times = NDArray[np.uint16]


class LexicalIndex:
    """BM25 (Robertson and Zaragoza 2009) over words, Chinese ones by characters and their pairs."""

    def __init__(self, words: Words) -> None:
        self._words = words
        lengths, count = words.lengths, len(words)
        owners = np.repeat(np.arange(count), np.diff(words.starts))
        order = np.argsort(words.tokens, kind="stable")
        found = words.tokens[order]
        first = np.flatnonzero(np.diff(found, prepend=found[:1] - 1))
        self._tokens, self._starts = found[first], np.append(first, len(order))
        self._rows = owners[order]
        frequencies = np.diff(self._starts)
        idf = np.log(1 + (count - frequencies + 0.5) / (frequencies + 0.5))
        times = words.times[order].astype(np.float32)
        usual = max(1.0, float(lengths.mean())) if count else 1.0
        saturation = SATURATION * (1 - LENGTH + LENGTH * lengths / usual)
        self._idf = idf.astype(np.float32)
        self._rarest = log(1 + (count + 0.5) / 0.5)
        self._scores = times / (
            times + saturation.astype(np.float32)[self._rows]
        )  # as Lucene has it
        self._scores *= np.repeat(self._idf, frequencies)

    @classmethod
    def build(cls, texts: Sequence[str], *, before: Self | None = None) -> Self:
        """Of the texts that an earlier index has, the words are not counted again."""
        return cls(Words.of(texts, before._words if before else None))

    def scores(self, question: str) -> Worded:
        found, most = np.zeros(len(self._words), dtype=np.float32), 0.0
        for token in dict.fromkeys(tokens(question)):
            place = int(np.searchsorted(self._tokens, hash(token)))
            if place < len(self._tokens) and self._tokens[place] == hash(token):
                start, end = self._starts[place : place + 2]
                np.add.at(found, self._rows[start:end], self._scores[start:end])
                most += float(self._idf[place])
            else:
                most += self._rarest
        return Worded(found / np.float32(self._rarest), most / self._rarest)


@dataclass(frozen=True, slots=True)
class Worded:
    """What texts have of a question's words, counted in words that no text has.

    `scores` is float32[texts], `most` what the question's words could give.
    """

    scores: Vectors
    most: float

    @property
    def shares(self) -> Vectors:
        """float32[texts], 0..1."""
        return self.scores / np.float32(self.most or 1.0)


@dataclass(frozen=True, slots=True)
class Words:
    """How often each text has each of its words, one text after the other.

    Words go by their hashes: of a million words two are taken for one with a chance of 1 in 30 million.
    """

    places: dict[int, int]  # of texts, by their hash
    starts: NDArray[np.int64]
    tokens: Tokens
    times: Times

    @classmethod
    def of(cls, texts: Sequence[str], before: Words | None) -> Self:
        places = {hash(text): place for place, text in enumerate(texts)}
        counted = [_known(before, text) or _count(text) for text in texts]
        lengths = [len(unique) for unique, _ in counted]
        nothing = _count("")
        unique, times = zip(nothing, *counted, strict=True)
        return cls(
            places,
            np.cumsum([0, *lengths], dtype=np.int64),
            np.concatenate(unique),
            np.concatenate(times),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.float64]:
        """float64[texts]: how many words each has."""
        sums = np.concatenate([[0.0], np.cumsum(self.times, dtype=np.float64)])
        lengths: NDArray[np.float64] = np.diff(sums[self.starts])
        return lengths


def _known(before: Words | None, text: str) -> tuple[Tokens, Times] | None:
    place = before.places.get(hash(text)) if before else None
    if before is None or place is None:
        return None
    part = slice(before.starts[place], before.starts[place + 1])
    return before.tokens[part], before.times[part]


def _count(text: str) -> tuple[Tokens, Times]:
    hashes = np.fromiter(map(hash, tokens(text)), dtype=np.int64)
    unique, times = np.unique(hashes, return_counts=True)
    return unique, np.minimum(times, np.iinfo(np.uint16).max).astype(np.uint16)


def tokens(text: str) -> Iterator[str]:
    """Words in small letters, and of Chinese its characters and their pairs."""
    for run in TOKEN.findall(text.casefold()):
        yield from _characters(run) if run[0] >= "\u3400" else (run,)


def _characters(run: str) -> Iterator[str]:
    yield from run
    for start in range(len(run) - 1):
        yield run[start : start + 2]
