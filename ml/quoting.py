"""Which of a passage's own sentences answer a question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.lexical import LexicalIndex
from ml.retrieval import WORDS, Question
from ml.sentences import Span
from ml.types import Vectors

MOST = 3  # sentences that are quoted together


def quote(question: Question, text: str, sentences: Sequence[Span], vectors: Vectors) -> Span:
    """The run of at most three sentences of a text that is nearest to the question; it has more.

    `vectors` are float32[sentences, d] of length one, in the question's space. A sentence is ranked as
    a passage is, by its cosine in deviations from the others and its share of the question's words;
    the best one is joined by neighbours that are nearer than the middle one.
    """
    cosines = vectors @ question.vector
    shares = LexicalIndex.build([span.of(text) for span in sentences]).scores(question.text).shares
    ranks = (cosines - cosines.mean()) / max(float(cosines.std()), 1e-9) + WORDS * shares
    first = last = int(ranks.argmax())
    middle = float(np.median(ranks))
    while last - first + 1 < MOST:
        before = ranks[first - 1] if first else middle
        after = ranks[last + 1] if last + 1 < len(sentences) else middle
        if max(before, after) <= middle:
            break
        if after >= before:
            last += 1
        else:
            first -= 1
    return Span(sentences[first].start, sentences[last].end)
