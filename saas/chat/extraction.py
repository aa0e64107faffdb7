"""An answer in a passage's own words: what there always is, with or without a language model."""

from __future__ import annotations

from dataclasses import replace

from ml.language import language_of
from saas import engine
from saas.chat.answers import Answer, Citation, Draft, Question, Source
from saas.chat.retrieval import Found

FOREIGN = {
    "en": "I found this in Chinese:",
    "zh": "找到以下英文资料：",
}


def extract(draft: Draft, question: Question) -> Answer:
    """The best passage's own sentences: all of what was written as an answer, else the nearest."""
    best, language = draft.passages[0], draft.answer.language
    quoted = best.answer if best.written else _nearest(best, question)
    lead = "" if language_of(quoted) == language else f"{FOREIGN[language]}\n"
    citation = Citation(len(lead), len(lead) + len(quoted), best.id, quoted)
    return replace(
        draft.answer,
        text=lead + quoted,
        sources=[Source.of(hit) for hit in draft.passages],
        citations=[citation],
    )


def _nearest(passage: Found, question: Question) -> str:
    from ml import quoting, retrieval

    spans, text = passage.spans, passage.answer
    if len(spans) <= quoting.MOST:
        return text
    alone = engine.encode([span.of(text) for span in spans], "passage")
    asked = retrieval.Question(question.text, question.plan.of(question.vectors, None)[0])
    return quoting.quote(asked, text, spans, alone, passage.sentences).of(text)
