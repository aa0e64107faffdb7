"""An answer's text out of the passages that answer the question: their own sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ml.language import language_of
from saas import engine
from saas.chat.answers import Answer, Citation, Draft, Plan, Source
from saas.chat.retrieval import Found

if TYPE_CHECKING:
    from ml.types import Vectors

FOREIGN = {
    "en": "I found this in Chinese:",
    "zh": "找到以下英文资料：",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, with its vectors as the plan encoded them."""

    text: str
    plan: Plan
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer that is whole."""

    answer: Answer


def complete(draft: Draft, question: Question) -> Iterator[str | Composed]:
    """The parts of an answer's text as they are ready, and at the end the whole of it.

    No transaction is needed, and none should be held: it may take as long as a language model does.
    """
    if not draft.passages:
        yield draft.answer.text
        yield Composed(draft.answer)
        return
    answer = _extract(draft, question)
    yield answer.text
    yield Composed(answer)


def _extract(draft: Draft, question: Question) -> Answer:
    """The best passage's own sentences: all of what was written as an answer, else the nearest."""
    best, language = draft.passages[0], draft.answer.language
    quoted = best.answer if best.written else _nearest(best, question)
    lead = "" if language_of(quoted) == language else f"{FOREIGN[language]}\n"
    citation = Citation(len(lead), len(lead) + len(quoted), best.id, quoted)
    return replace(
        draft.answer,
        text=lead + quoted,
        sources=[source_of(hit) for hit in draft.passages],
        citations=[citation],
    )


def _nearest(passage: Found, question: Question) -> str:
    from ml import quoting, retrieval, sentences

    spans = sentences.split(passage.answer)
    if len(spans) <= quoting.MOST:
        return passage.answer
    adapter = question.plan.passages
    vectors = engine.encode([span.of(passage.answer) for span in spans], "passage", adapter)
    asked = retrieval.Question(question.text, question.plan.of(question.vectors, adapter)[0])
    return quoting.quote(asked, passage.answer, spans, vectors).of(passage.answer)


def source_of(hit: Found) -> Source:
    return Source(hit.id, hit.question, hit.source, hit.page, hit.score)
