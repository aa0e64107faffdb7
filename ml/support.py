"""Whether a sentence is supported by passages, and by which of their words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.language import Language, language_of
from ml.lexical import tokens
from ml.numbers import numbers
from ml.sentences import Span, split
from ml.types import Vectors
from ml.vectors import unit

RUN = 2  # neighbouring sentences that may support one together
# Chosen on the pairs of tests/ml/support.csv.
COVERED = 0.8  # share of a sentence's words that its support has
# Cosine from the centre of the language, where words differ: in one language, and between two.
NEAR, NEAR_ABROAD = 0.6, 0.5
CLAUSE = re.compile(r"(?<=[，；])")
NEGATION = re.compile(
    r"n['’]t\b|\b(?:not|no|never|none|cannot|without|neither|nor|unless|refuse[sd]?|excluded?)\b|"
    r"[不没無无非未勿别莫]",
    re.IGNORECASE,
)
COMMON = frozenset(
    re.findall(
        r"\S+",
        """a an and are as at be but by can do for from have i if in is it its me my of on or our so
        that the their them then there they this to us we what when which will with you your
        的 了 是 在 和 与 及 也 就 都 会 您 你 我 们 我们 您的 请""",
    )
)


@dataclass(frozen=True, slots=True)
class Support:
    """Which passage, by its place, supports a sentence; the words that do; and how far, 0..1."""

    passage: int
    span: Span
    score: float


class Ground:
    """Passages, cut to sentences, against which it is checked what is said about them.

    A sentence is supported where one or two neighbouring sentences have most of its words or nearly its
    meaning, every number that it names, and deny as it denies. The last two are what a language
    model gets wrong most harmfully, and what cosines hardly tell.
    """

    def __init__(
        self,
        passages: Sequence[str],
        encode: Callable[[Sequence[str]], Vectors],
        centres: dict[Language, Vectors],
    ) -> None:
        """`encode` gives vectors of length one; `centres` what those of a language share."""
        self._encode = encode
        self._centres = centres
        self._runs = [(at, span) for at, text in enumerate(passages) for span in _runs(text)]
        self._texts = [span.of(passages[at]) for at, span in self._runs]
        self._words = [_content(text) for text in self._texts]
        self._vectors = self._centred(self._texts)

    def support(self, sentence: str, *, among: Sequence[int] = ()) -> Support | None:
        """The best support of a sentence in some of the passages, by place, or in any; or None."""
        words, named, denies = _content(sentence), numbers(sentence), _denies(sentence)
        nearness = self._vectors @ self._centred([sentence])[0]
        best: Support | None = None
        for row, (place, span) in enumerate(self._runs):
            text = self._texts[row]
            if (among and place not in among) or denies != _denies(text):
                continue
            covered = len(words & self._words[row]) / max(1, len(words))
            score = max(covered, float(nearness[row]))
            enough = covered >= COVERED or nearness[row] >= _near(sentence, text)
            if enough and (best is None or score > best.score) and named <= numbers(text):
                best = Support(place, span, score)
        return best

    def _centred(self, texts: Sequence[str]) -> Vectors:
        middles = np.stack([self._centres[language_of(text)] for text in texts])
        return unit(self._encode(texts) - middles)


def _runs(passage: str) -> list[Span]:
    """Sentences, neighbours of them, and the clauses of Chinese ones, which go on after commas."""
    spans = split(passage)
    runs = [
        Span(spans[first].start, spans[last].end)
        for first in range(len(spans))
        for last in range(first, min(first + RUN, len(spans)))
    ]
    for span in spans:
        at = span.start
        clauses = CLAUSE.split(span.of(passage))
        for clause in clauses if len(clauses) > 1 else ():
            runs.append(Span(at, at + len(clause)))
            at += len(clause)
    return runs


def _near(one: str, other: str) -> float:
    return NEAR if language_of(one) == language_of(other) else NEAR_ABROAD


def _content(text: str) -> set[str]:
    return set(tokens(text)) - COMMON


def _denies(text: str) -> bool:
    return bool(NEGATION.search(text))
