"""What the bot says, and who decides it: the live model, and the adapters a question is read with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import numpy as np

from saas import engine
from saas.chat import knowledge
from saas.chat.actions import Call
from saas.chat.retrieval import Found
from saas.chat.safety import Refused
from saas.training import store

if TYPE_CHECKING:
    from ml import retrieval
    from ml.adapters import Adapter
    from ml.types import Prediction, Vectors

FALLBACK = {
    "en": "I am not sure about that one. A colleague can help: shall I hand you over?",
    "zh": "这个问题我不太确定。需要我为您转接人工客服吗？",
}
CLOSE = 0.15  # certainty that questions about a passage reach, and other customers' talk does not
KNOWN = 0.06  # certainty that goes before a reply, for each deviation that its question is in scope
UNSURE = 0.5  # below this the likeliest intent is more likely wrong than right
LONG_NUMBER = re.compile(r"(?<![A-Za-z0-9])[#№]?[A-Za-z]{0,6}-?[0-9]{5,}(?![A-Za-z0-9])")
ANSWERS = ("reply", "passage", "composed", "items", "action")  # kinds that answer a question


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that an answer rests on; `question` is a document's heading above it."""

    id: UUID
    question: str
    document: str
    page: int | None
    score: float

    @classmethod
    def of(cls, hit: Found) -> Self:
        return cls(hit.id, hit.question, hit.source, hit.page, hit.score)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "question": self.question,
            "document": self.document,
            "page": self.page,
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """A part of an answer's text, by its characters, and the words of the passage that support it."""

    start: int
    end: int
    source: UUID
    quote: str

    def as_json(self) -> dict[str, Any]:
        return {
            "start": self.start,
            "end": self.end,
            "source": str(self.source),
            "quote": self.quote,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot says, and what it rests on.

    `kind` is "reply" (the approved reply to an intent), "passage" (quoted from the knowledge),
    "composed" (from it, by a language model), "items" (of the catalog), "action" (live data of the
    tenant's own), "ask" (for what an action needs), "clarify" (which of the `options` is meant),
    "talk" (small talk), "fallback", "handoff" (a person takes over), or "refusal" (what the tenant's
    bot does not answer, and `refused` says why). `understood` is what a message was read as that does
    not stand alone.
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
    citations: list[Citation] = field(default_factory=list)
    refused: Refused | None = None
    understood: str = ""
    options: list[dict[str, str]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that a message may mean, with its vectors as the plan encoded them."""

    text: str
    vectors: Vectors

    @property
    def bare(self) -> str:
        """As the models read it."""
        return _bare(self.text)

    def sentiment(self, plan: Plan) -> str:
        """How who wrote it seems to feel."""
        return engine.sentiment().judge(plan.of(self.vectors, None)[0])


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer to a reading of the message, as far as a tenant's own rows decide it.

    With passages its text is still to be composed from them (`saas.chat.composition`), which takes
    time and no transaction; with a call it is still to be made (`saas.chat.acting`), likewise.
    """

    answer: Answer
    reading: Reading
    passages: list[Found] = field(default_factory=list)
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who answers in a conversation, and with which adapters the question is to be encoded."""

    live: store.Serving
    passages: Adapter | None
    adapters: tuple[Adapter | None, ...]

    def encode(self, text: str) -> Vectors:
        """The question with each of the adapters, float32[n, d], in one pass; no transaction needed."""
        return self.read([text])[0].vectors

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """The same of some texts, also in one pass. Order numbers and the like are not encoded."""
        count = len(self.adapters)
        repeated = [_bare(text) for text in texts for _ in range(count)]
        vectors = engine.encode(repeated, "query", self.adapters * len(texts))
        return [
            Reading(text, vectors[place * count : (place + 1) * count])
            for place, text in enumerate(texts)
        ]

    def of(self, vectors: Vectors, adapter: Adapter | None) -> Vectors:
        """The one vector that was encoded with an adapter, float32[1, d]."""
        place = self.adapters.index(adapter)
        return vectors[place : place + 1]

    def sought(self, reading: Reading) -> retrieval.Question:
        """What the passages are searched with."""
        from ml import retrieval

        own, plain = (self.of(reading.vectors, one)[0] for one in (self.passages, None))
        return retrieval.Question(reading.text, own, plain)

    def predict(self, reading: Reading) -> Prediction | None:
        """What the live intent model says; None where there is none."""
        model = self.live.model
        if model is None:
            return None
        found: list[Prediction] = model.predict(self.view(reading, model), [reading.bare])
        return found[0]

    def view(self, reading: Reading, model: Any) -> Vectors:
        """What an intent model reads of it."""
        return np.hstack([self.of(reading.vectors, adapter) for adapter in model.adapters])


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, with its vectors as the plan encoded them."""

    text: str
    plan: Plan
    vectors: Vectors


def plan(conversation_id: UUID) -> Plan:
    """What the current tenant's next answer in a conversation takes.

    The intent model and the search read the same vector. Only while passages lack theirs in the space
    of a newly tuned model are they searched where the encoder is as it was. That is also what
    `saas.chat.safety` reads.
    """
    live = store.serving(
        "intent", rows=knowledge.NAME, encoder=engine.fingerprint(), seat=conversation_id
    )
    own = live.model.adapter if live.model else None
    passages = own if knowledge.is_ready(own, revision=live.revision) else None
    watched = (live.challenger.adapter,) if live.challenger else ()
    return Plan(live, passages, tuple(dict.fromkeys((own, passages, *watched, None))))


def _bare(text: str) -> str:
    """Without long numbers: they mean nothing to the models, and make a text strange to them."""
    without = " ".join(LONG_NUMBER.sub(" ", text).split())
    return without if re.search(r"\w", without) else text


def handing_over(answer: Answer | None, *, language: str, words: str) -> Answer:
    """What the bot says instead of an answer where a person takes over."""
    if answer is None:
        return Answer("handoff", words, language, None, None, False, [], [], None)
    return replace(answer, kind="handoff", text=words)


def refusing(refused: Refused, *, language: str, words: str) -> Answer:
    """What the bot says to a message that it does not answer; `words` where a person takes over."""
    parts = [refused.text] + ([words] if refused.action == "handoff" else [])
    text = "\n".join(parts)
    return Answer("refusal", text, language, None, None, False, [], [], None, refused=refused)
