"""The tenant's knowledge: passages, their vectors, and the search over them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db.models import Q, QuerySet
from pydantic import Field, model_validator

from saas import engine, rows, workers
from saas.chat import safety
from saas.chat.models import Passage
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.adapters import Adapter
    from ml.sentences import Span
    from ml.types import Vectors

NAME = "knowledge"
EMBED_BATCH = 256
CACHED = 64
VECTORS = ("vector", "sentences", "tuned")  # columns that nobody but a search reads
APPLIES = ("product", "audience", "valid_from", "valid_until")


class ApplicableRow(rows.Row):
    """What knowledge is for; left out for all."""

    product: str = rows.optional_text(128, says="Only for questions about this product")
    audience: str = rows.optional_text(128, says="Only for those who ask as this audience")
    valid_from: date | None = Field(default=None, description="The first day that it holds (UTC)")
    valid_until: date | None = Field(default=None, description="The last day that it holds (UTC)")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise ValueError("valid_until is before valid_from; exchange them")
        return self

    def applies(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in APPLIES}


class PassageRow(ApplicableRow):
    question: str = rows.text(2_000)
    answer: str = rows.text(20_000)
    language: rows.Language | None = None
    source: str = rows.optional_text(200, says="Where it comes from; shown with the answer")


def digest(question: str) -> str:
    return hashlib.sha256(" ".join(question.casefold().split()).encode()).hexdigest()[:32]


def write(given: Sequence[PassageRow]) -> list[rows.Status]:
    """Store passages by their question; new and changed ones are searchable once embedded."""
    statuses = rows.upsert(
        Passage,
        [
            {
                "digest": digest(row.question),
                "question": row.question,
                "answer": row.answer,
                "language": row.language or "",
                "source": row.source,
                "suspect": safety.is_suspect(f"{row.question}\n{row.answer}"),
                "released_by": "",
                "released_at": None,
                **row.applies(),
                "vector": None,
                "sentences": None,
                "spans": [],
                "encoder": "",
                "tuned": None,
                "space": "",
            }
            for row in given
        ],
        key="digest",
        compare=("question", "answer", "language", "source", *APPLIES),
    )
    if set(statuses) - {"unchanged"}:
        changed()
    return statuses


def remove(passage_id: UUID) -> None:
    """Delete a pair; raises Passage.DoesNotExist. A document's passages go with the document."""
    Passage.objects.only("id").get(id=passage_id, document=None).delete()
    store.touch(NAME)


def changed() -> None:
    """Tell the caches, and have what lacks a vector embedded once this is committed."""
    from saas.chat.tasks import embed

    store.touch(NAME)
    # Robust: the rows are kept even where the queue does not answer; `catch_up` sees to them then.
    workers.queue(embed, str(current_tenant_id()))


@dataclass(frozen=True, slots=True)
class Read:
    """Passages as an adapter sees them: float32[n, d], and float32[sentences, d] of each one's spans."""

    vectors: Vectors
    sentences: list[Vectors]
    spans: list[list[Span]]


def pending(adapter: Adapter | None = None) -> list[Passage]:
    """Some passages that have no vector yet: of the encoder as it is, or with a tuned model's adapter."""
    return list(_lacking(adapter).only("id", "question", "answer")[:EMBED_BATCH])


def embedded(adapter: Adapter | None = None) -> QuerySet[Passage]:
    """The current tenant's passages that have all vectors that a search with this adapter reads."""
    _, name = columns(adapter)
    return Passage.objects.filter(**{name: engine.space(adapter)}, sentences__isnull=False)


def adapters() -> list[Adapter | None]:
    """What passages are embedded with: nothing, and the live model's adapter where it has one."""
    live = store.serving("intent", rows=NAME, encoder=engine.fingerprint())
    return list(dict.fromkeys((None, live.model.adapter if live.model else None)))


def pairs() -> list[tuple[str, str]]:
    """The current tenant's questions with their answers, in an order that does not change."""
    written = Passage.objects.filter(document=None)
    return list(written.order_by("digest").values_list("question", "answer"))


def waiting() -> int:
    """How many passages cannot be found yet."""
    return _lacking(None).count()


def columns(adapter: Adapter | None) -> tuple[str, str]:
    """Where a passage keeps its vector and the name of that vector's space."""
    return ("vector", "encoder") if adapter is None else ("tuned", "space")


def read(passages: Sequence[Passage], adapter: Adapter | None = None) -> Read:
    """Encode passages; takes time and no transaction."""
    from ml import retrieval, sentences

    answers = [passage.answer for passage in passages]
    spans = [sentences.split(answer) or [sentences.Span(0, len(answer))] for answer in answers]
    asked = [passage.question for passage in passages]
    vectors, parts = retrieval.read(asked, answers, spans, engine.encoder()[0], adapter=adapter)
    return Read(vectors, parts, spans)


def embed(passages: Sequence[Passage], read: Read, adapter: Adapter | None = None) -> None:
    """Store the vectors of passages, unless their text has changed meanwhile."""
    column, name = columns(adapter)
    space = engine.space(adapter)
    for place, passage in enumerate(passages):
        values: dict[str, Any] = {column: _packed(read.vectors[place]), name: space}
        if adapter is None:
            values["sentences"] = _packed(read.sentences[place])
            values["spans"] = [at for span in read.spans[place] for at in (span.start, span.end)]
        same = Passage.objects.filter(
            id=passage.id, question=passage.question, answer=passage.answer
        )
        same.update(**values)
    store.touch(NAME)


def is_ready(adapter: Adapter | None, *, revision: int) -> bool:
    """Whether all passages can be searched with this adapter; without one they always can."""
    return adapter is None or _is_whole(current_tenant_id(), revision, adapter.space)


@functools.lru_cache(maxsize=CACHED)
def _is_whole(tenant_id: UUID, revision: int, space: str) -> bool:
    return not Passage.objects.exclude(space=space).exists()


def _lacking(adapter: Adapter | None) -> QuerySet[Passage]:
    _, name = columns(adapter)
    ready = Q(**{name: engine.space(adapter)})
    return Passage.objects.exclude(ready & Q(sentences__isnull=False) if adapter is None else ready)


def _packed(vectors: Vectors) -> bytes:
    return vectors.astype("float16").tobytes()


KIND = rows.Kind(
    name="knowledge",
    form=PassageRow,
    write=write,
    aliases={"q": "question", "a": "answer", "lang": "language", "text": "answer"},
)
