"""From a customer's words to an answer, by one vector: the intent head and the search read the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from saas import engine
from saas.chat import knowledge, replies
from saas.chat.knowledge import Found
from saas.training import store

if TYPE_CHECKING:
    from ml.types import Prediction

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
FALLBACK = {
    "en": "I am not sure about that one. A colleague can help: shall I hand you over?",
    "zh": "这个问题我不太确定。需要我为您转接人工客服吗？",
}
SOURCES = 3
CLOSE = 0.25  # certainty that questions about a passage reach, and other customers' talk does not
UNSURE = 0.5  # below this the likeliest intent is more likely wrong than right


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that an answer rests on."""

    id: UUID
    question: str
    document: str
    score: float

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "question": self.question,
            "document": self.document,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot says, and what it rests on.

    `kind` is "reply" (the approved reply to an intent), "passage" (from the knowledge) or "fallback".
    """

    kind: str
    text: str
    language: str
    intent: str | None
    confidence: float | None
    in_scope: bool
    alternatives: list[tuple[str, float]]
    sources: list[Source]
    model_version: UUID | None


def language_of(text: str) -> str:
    """Chinese where a text has any Han characters, else English."""
    return "zh" if HAN.search(text) else "en"


def answer(text: str, *, vector: Any, language: str) -> Answer:
    """The current tenant's answer to a text whose query vector, float32[1, d], is given."""
    live = store.serving("intent", rows=knowledge.NAME, encoder=engine.fingerprint())
    prediction: Prediction | None = live.model.predict(vector)[0] if live.model else None
    found = knowledge.search(vector, SOURCES, revision=live.revision)
    reply = None
    if prediction and prediction.in_scope and prediction.label and not _nearer(found, prediction):
        reply = replies.find(prediction.label, language)
    if reply is not None:
        kind, words, sources = "reply", reply, []
    elif found and found[0].relevant:
        kind, words = "passage", found[0].answer
        sources = [
            Source(hit.id, hit.question, hit.source, hit.score) for hit in found if hit.relevant
        ]
    else:
        kind, words, sources = "fallback", FALLBACK[language], []
    return Answer(
        kind=kind,
        text=words,
        language=language,
        intent=prediction.label if prediction else None,
        confidence=round(prediction.confidence, 4) if prediction else None,
        in_scope=bool(prediction and prediction.in_scope),
        alternatives=[
            (guess.label, round(guess.probability, 4)) for guess in prediction.alternatives
        ]
        if prediction
        else [],
        sources=sources,
        model_version=live.version_id,
    )


def _nearer(found: list[Found], prediction: Prediction) -> bool:
    """Whether a passage answers more surely than the reply to the likeliest intent would."""
    if not found or not found[0].relevant:
        return False
    return found[0].certainty >= CLOSE or prediction.confidence < UNSURE
