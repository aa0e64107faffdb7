"""An answer's text out of the passages that answer the question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from saas.chat import conversations, extraction, generation, safety
from saas.chat.answers import Answer, Draft, Question
from saas.chat.generation import Generation, Terms, Use

HISTORY = 6  # messages of the conversation that a language model reads


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer that is whole, and how a language model took part in it, if one did."""

    answer: Answer
    use: Use | None = None


def prepare(draft: Draft, text: str, conversation_id: UUID) -> Terms | None:
    """On which terms a language model may compose this answer; None where it is quoted."""
    draft = _trusted(draft)
    if not draft.passages:
        return None
    history = [
        line
        for line in conversations.last_lines(conversation_id, HISTORY)
        if not safety.is_suspect(line.text)
    ]
    return generation.terms(draft, text, history)


def complete(draft: Draft, question: Question, terms: Terms | None) -> Iterator[str | Composed]:
    """The parts of an answer's text as they are ready, and at the end the whole of it.

    No transaction is needed, and none should be held: it may take as long as a language model does.
    """
    if not draft.passages:
        yield draft.answer.text
        yield Composed(draft.answer)
        return
    made = None
    if terms:
        made = Generation(_trusted(draft), question, terms)
        yield from made.parts()
        if made.answer:
            yield Composed(made.answer, made.use)
            return
    answer = extraction.extract(draft, question)
    yield answer.text
    yield Composed(answer, made.use if made else None)


def _trusted(draft: Draft) -> Draft:
    """With the passages alone that a language model may read."""
    return replace(draft, passages=[hit for hit in draft.passages if not hit.held])


def settle(composed: Composed, terms: Terms | None) -> None:
    """Count what was really used, in the transaction of the answer."""
    if terms and composed.use:
        generation.settle(terms, composed.use)
