"""Which of a passage's own sentences answer a question."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.lexical import LexicalIndex
from ml.retrieval import WORDS, Question
from ml.sentences import Span
from ml.types import Vectors

MOST = 3  # sentences that are quoted together


def quote(
    question: Question, text: str, sentences: Sequence[Span], alone: Vectors, within: Vectors
) -> Span:
    """The run of at most three sentences of a text that is nearest to the question; it has more.

    The sentences were encoded `alone`, and `within` the text (`Encoder.encode_parts`): float[sentences, d]
    of length one, by the encoder as it is. A sentence is ranked as a passage is, by its cosines in
    deviations from the others' and its share of the question's words; the best one is joined by
    neighbours that are nearer than the middle one.
    """
    shares = LexicalIndex.build([span.of(text) for span in sentences]).scores(question.text).shares
    nearness = [_standard(vectors @ question.plain) for vectors in (alone, within)]
    ranks = np.mean(nearness, axis=0) + WORDS * shares
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


def _standard(values: Vectors) -> Vectors:
    """In deviations from their mean."""
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-9), np.float32)
