"""Which passages answer a question: by meaning and by words, and whether any of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ml.adapters import Adapter
from ml.encoder import Encoder
from ml.index import VectorIndex
from ml.language import Language, language_of
from ml.lexical import LexicalIndex, tokens
from ml.parts import Parts, own_centres
from ml.sentences import Span
from ml.types import Progress, Vectors
from ml.vectors import unit

CANDIDATES = 50  # by meaning, and as many by words
# In standard deviations of unrelated cosines: what all of a question's words count at the least, and
# what each counts that is as rare as one that no passage has: of these long questions have more.
WORDS, WORD = 3.0, 0.9
# How much a passage's likeness to what customers ask takes from its cosine, to what share of that
# (the nearest), and of how many questions it takes some to say.
CROWDED, NEAREST, FEWEST = 0.35, 0.1, 30
PASSAGES_AT_ONCE = 4_000
QUESTION_SHARE = 0.35  # in a passage's vector; the rest is question and answer
RELEVANT_WORDS = 0.2  # their share of what tells a passage from talk about other things
BACKGROUND_SHARE = 0.98
# All of these but the last two were chosen on StackFAQ and half of InsuranceQA's questions.

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Passages:
    """What is searched: ids, texts, and float32[n, d] of length one.

    `parts` are the vectors of each passage's sentences by the encoder as it is (`Encoder.encode_parts`),
    without which a passage is as relevant as the whole of it is.
    """

    ids: Sequence[str]
    texts: Sequence[str]
    vectors: Vectors
    parts: Sequence[Vectors] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A text and its float32[d] of length one; with an adapter's, that of the encoder `as_is` too."""

    text: str
    vector: Vectors
    as_is: Vectors | None = None

    @property
    def plain(self) -> Vectors:
        """By the encoder as it is."""
        return self.vector if self.as_is is None else self.as_is


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage found.

    `score` is how near it is: the cosine from what all sentences have in common. `relevant` says that
    talk about other things is not as near, by meaning or together with its words, and `certainty`
    (0..1) how far the passage stands above that.
    """

    id: str
    score: float
    relevant: bool
    certainty: float


def read(
    questions: Sequence[str],
    answers: Sequence[str],
    spans: Sequence[Sequence[Span]],
    encoder: Encoder,
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> tuple[Vectors, list[Vectors]]:
    """float32[n, d] of length one, and float32[spans, d] of the parts of each answer, in one pass.

    A passage is a question as a customer asks it, and all of it as a passage; without a question, as
    in a document without headings, it is the passage alone.
    """
    texts = [text_of(*pair) for pair in zip(questions, answers, strict=True)]
    moved = [
        [Span(span.start + shift, span.end + shift) for span in own]
        for own, shift in zip(spans, map(_before, questions, answers), strict=True)
    ]
    whole, parts = encoder.encode_parts(texts, moved, adapter=adapter, progress=progress)
    rows = [row for row, question in enumerate(questions) if question]
    if rows:
        asked = encoder.encode([questions[row] for row in rows], adapter=adapter)
        whole[rows] = QUESTION_SHARE * asked + (1 - QUESTION_SHARE) * whole[rows]
    return unit(whole), parts


def _before(question: str, answer: str) -> int:
    """How many characters of what is searched stand before the answer's first one."""
    both = f"{question}\n{answer}"
    return len(question) + 1 - (len(both) - len(both.lstrip()))


def text_of(question: str, answer: str) -> str:
    """What is searched of a passage."""
    return f"{question}\n{answer}".strip()


class Retriever:
    """Passages in the order of their cosine and BM25 together, in whatever language they are.

    Vectors of an encoder share a large part that says no more than that a text is a sentence of its
    language (all-but-the-top, arXiv:1702.01417). Passages are taken from the centre of those in
    their language: otherwise a question would find what is written in its own language before what
    answers it. Whether a passage is relevant is told by its sentence that is nearest to the question,
    which is taken likewise from its language's centre: a whole passage is a bit near to all that its
    subject is near to. Where the borders lie is measured: 98% of sentences about other
    things stay below each. One is for the meaning alone, as a question in another language has no
    words of its passage; one for both. Signs and emoji alone have a vector that may lie anywhere: they
    find the passages whose question they are.
    """

    def __init__(
        self,
        passages: Passages,
        background: Sequence[Question],
        *,
        before: Retriever | None = None,
    ) -> None:
        """`background` are sentences about other things, which tell where coincidence ends.

        What the retriever `before` has read of the same passages is not read again.
        """
        self._ids = list(passages.ids)
        self._rows = {id_: row for row, id_ in enumerate(self._ids)}
        words = None if before is None else before.words
        self.words: LexicalIndex = LexicalIndex.build(passages.texts, before=words)
        self._signs = _signs(passages.texts)
        spoken = [language_of(text) for text in passages.texts]
        others = [question.text for question in background]
        asked = np.stack([question.vector for question in background])
        common = centres(others, asked)
        own = own_centres(passages.vectors, spoken, common, passages=spoken)
        away = [v - own[language] for v, language in zip(passages.vectors, spoken, strict=True)]
        self._index = VectorIndex.build(self._ids, np.asarray(away).reshape(passages.vectors.shape))
        plain = centres(others, np.stack([question.plain for question in background]))
        self._centres = plain if passages.parts else common
        self._parts = Parts(passages.parts, spoken, plain) if passages.parts else None
        self._spread, self._borders = 0.0, np.ones(2)
        if len(self):
            self._spread = float((asked @ passages.vectors.T).std(axis=1).mean())
            nearest = [self._candidates(one, None)[2].max(axis=0) for one in background]
            self._borders = np.quantile(nearest, BACKGROUND_SHARE, axis=0)

    def crowding(self, asked: Vectors) -> Vectors:
        """float32[n]: how near each passage is to what customers ask, float32[m, d], for `search`.

        The mean of its cosines with the tenth of the questions that it is nearest to: what is near to
        many questions is found for too many of them, and taking some of that away finds what answers
        (CSLS, Conneau et al. 2018, arXiv:1710.04087). A few questions say nothing of that: 0.
        """
        found = np.zeros(len(self), dtype=np.float32)
        if len(asked) < FEWEST:
            return found
        nearest = int(np.ceil(NEAREST * len(asked)))
        for start in range(0, len(self), PASSAGES_AT_ONCE):
            rows = np.arange(start, min(start + PASSAGES_AT_ONCE, len(self)))
            cosines = self._index.vectors(rows) @ asked.T
            best = np.partition(cosines, len(asked) - nearest, axis=1)[:, -nearest:]
            found[rows] = best.mean(axis=1)
        return found

    def search(
        self,
        question: Question,
        k: int,
        *,
        among: Rows | None = None,
        crowding: Vectors | None = None,
    ) -> list[Ranked]:
        """The k best passages, the best first; of some rows only where they are given."""
        if not len(self) or (among is not None and not len(among)):
            return []
        rows, order, scores = self._candidates(question, among)
        if crowding is not None:
            order = order - CROWDED * crowding[rows]
        above = ((scores - self._borders) / (1.0 - self._borders)).max(axis=1)
        best = np.argsort(-order, kind="stable")[:k]
        return [
            Ranked(
                id=self._ids[rows[place]],
                score=float(scores[place, 0]),
                relevant=bool(above[place] > 0),
                certainty=max(0.0, float(above[place])),
            )
            for place in best
        ]

    def __len__(self) -> int:
        return len(self._ids)

    def _candidates(self, question: Question, among: Rows | None) -> tuple[Rows, Vectors, Vectors]:
        """Rows that may be it, float32[rows] by which they are ranked, and float32[rows, 2]:

        how near they are by meaning, and by meaning and words.
        """
        vector = question.vector[None, :]
        hits = self._index.search(vector, CANDIDATES, among=among)[0]
        words = self.words.scores(question.text)
        worded = _greatest(words.scores, among)
        rows = np.unique(
            np.concatenate([[self._rows[hit.id] for hit in hits], worded]).astype(np.intp)
        )
        vectors = self._index.vectors(rows)
        ranking = vectors @ question.vector
        centred = self._nearness(rows, vectors, question)
        if not words.most:
            centred = np.isin(rows, self._signs.get(question.text.strip(), [])).astype(np.float32)
            ranking = ranking + centred
        both = (1 - RELEVANT_WORDS) * centred + RELEVANT_WORDS * words.shares[rows]
        each = max(WORD, WORDS / words.most) if words.most else 0.0
        ranking = ranking + each * self._spread * words.scores[rows]
        return rows, ranking, np.stack([centred, both], axis=1)

    def _nearness(self, rows: Rows, vectors: Vectors, question: Question) -> Vectors:
        """float32[rows]: the cosine of the question with the nearest sentence of each passage.

        Both are taken from their centres. Without sentences it is that with the whole passage.
        """
        asked = question.vector if self._parts is None else question.plain
        asked = unit(asked - self._centres[language_of(question.text)])
        if self._parts is None:
            return np.asarray(unit(vectors) @ asked, dtype=np.float32)
        return self._parts.nearest(rows, asked)


def centres(texts: Sequence[str], vectors: Vectors) -> dict[Language, Vectors]:
    """float32[d]: what all sentences of a language have in common, from float32[n, d]."""
    languages = np.asarray([language_of(text) for text in texts])
    return {
        language: vectors[languages == language].mean(axis=0) for language in get_args(Language)
    }


def _signs(texts: Sequence[str]) -> dict[str, list[int]]:
    """Rows by their question, of those whose question has no word."""
    found: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        question = text.partition("\n")[0].strip()
        if not any(tokens(question)):
            found.setdefault(question, []).append(row)
    return found


def _greatest(scores: Vectors, among: Rows | None) -> Rows:
    """The rows of the greatest scores, without those that have none."""
    if among is not None:
        there = np.zeros_like(scores)
        there[among] = scores[among]
        scores = there
    count = min(CANDIDATES, int(np.count_nonzero(scores)))
    return np.argpartition(-scores, count - 1)[:count] if count else np.empty(0, dtype=np.intp)
