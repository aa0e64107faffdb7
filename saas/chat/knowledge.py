"""The tenant's knowledge: passages, their vectors, and the search over them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from saas import engine, rows
from saas.chat.models import Passage
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.index import VectorIndex
    from ml.types import Vectors

NAME = "knowledge"
EMBED_BATCH = 256
CACHED = 64
BACKGROUND_SHARE = 0.98


class PassageRow(rows.Row):
    question: str = rows.text(2_000)
    answer: str = rows.text(20_000)
    language: rows.Language | None = None
    source: str = rows.optional_text(200, says="Where it comes from; shown with the answer")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how near it is to the question.

    `score` is the cosine. `relevant` says that it is nearer than talk about other things ever is, and
    `certainty` (0..1) how far it stands above that.
    """

    id: UUID
    question: str
    answer: str
    source: str
    score: float
    relevant: bool
    certainty: float


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
                "vector": None,
                "encoder": "",
            }
            for row in given
        ],
        key="digest",
        compare=("question", "answer", "language", "source"),
    )
    if set(statuses) - {"unchanged"}:
        changed()
    return statuses


def remove(passage_id: UUID) -> None:
    """Delete a passage; raises Passage.DoesNotExist."""
    Passage.objects.only("id").get(id=passage_id).delete()
    store.touch(NAME)


def changed() -> None:
    """Tell the caches, and have what lacks a vector embedded once this is committed."""
    from saas.chat.tasks import embed

    store.touch(NAME)
    # Robust: the rows are kept even where the queue does not answer; `catch_up` sees to them then.
    transaction.on_commit(partial(embed.delay, str(current_tenant_id())), robust=True)


def pending(encoder: str) -> list[Passage]:
    """Some passages that have no vector of this encoder yet."""
    return list(
        Passage.objects.exclude(encoder=encoder).only("id", "question", "answer")[:EMBED_BATCH]
    )


def waiting() -> int:
    """How many passages have no vector at all yet."""
    return Passage.objects.filter(vector=None).count()


def embed(passages: Sequence[Passage], vectors: Vectors, encoder: str) -> None:
    """Store the vectors of passages, unless their text has changed meanwhile."""
    for passage, vector in zip(passages, vectors, strict=True):
        Passage.objects.filter(
            id=passage.id, question=passage.question, answer=passage.answer
        ).update(vector=vector.astype("float16").tobytes(), encoder=encoder)
    store.touch(NAME)


def search(vector: Vectors, k: int = 3) -> list[Found]:
    """The k nearest passages to one question's vector, float32[1, d], the nearest first."""
    index, background = _index(current_tenant_id(), store.revision(NAME), engine.fingerprint())
    hits = index.search(vector, k)[0]
    passages = Passage.objects.defer("vector").in_bulk([UUID(hit.id) for hit in hits])
    return [
        Found(
            id=passage.id,
            question=passage.question,
            answer=passage.answer,
            source=passage.source,
            score=hit.score,
            relevant=hit.score > background,
            certainty=max(0.0, (hit.score - background) / (1.0 - background)),
        )
        for hit in hits
        if (passage := passages.get(UUID(hit.id))) is not None
    ]


@functools.lru_cache(maxsize=CACHED)
def _index(tenant_id: UUID, revision: int, encoder: str) -> tuple[VectorIndex, float]:
    """The index of one state of one tenant's knowledge, and the score that is no coincidence.

    Encoders differ in what cosine they give to unrelated texts, and tenants in how close their
    passages lie to everyday talk; so the border is measured: the score that BACKGROUND_SHARE of
    sentences about other things stay below.
    """
    import numpy as np

    from ml.index import VectorIndex

    found = list(Passage.objects.filter(encoder=encoder).values_list("id", "vector"))
    if not found:
        return VectorIndex.build([], np.zeros((0, 1), np.float32)), 1.0
    vectors = np.stack([np.frombuffer(vector, np.float16) for _, vector in found])
    index = VectorIndex.build([str(id_) for id_, _ in found], vectors.astype(np.float32))
    nearest = [hits[0].score for hits in index.search(_background(encoder), 1)]
    return index, float(np.quantile(nearest, BACKGROUND_SHARE))


@functools.cache
def _background(encoder: str) -> Vectors:
    """Vectors of sentences that no shop or bank is asked: Chinese and English, half and half."""
    lines = Path(__file__).with_name("background.txt").read_text(encoding="utf-8").splitlines()
    return engine.encode_all(lines, "query")


KIND = rows.Kind(
    name="knowledge",
    form=PassageRow,
    write=write,
    aliases={"q": "question", "a": "answer", "lang": "language", "text": "answer"},
)
