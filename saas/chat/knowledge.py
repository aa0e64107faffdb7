"""The tenant's knowledge: passages, their vectors, and the search over them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from saas import engine, rows
from saas.chat.models import Passage
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.adapters import Adapter
    from ml.index import VectorIndex
    from ml.types import Vectors

NAME = "knowledge"
EMBED_BATCH = 256
CACHED = 64
# A document's passages answer once the whole of it has been read.
LIVE = Q(document=None) | Q(since__lte=F("document__version"))
BACKGROUND_SHARE = 0.98
OWN_CENTRE = 20  # passages whose own centre weighs as much as the common one
QUESTION_SHARE = 0.35  # of the question in a passage's vector; the rest is question and answer


class PassageRow(rows.Row):
    question: str = rows.text(2_000)
    answer: str = rows.text(20_000)
    language: rows.Language | None = None
    source: str = rows.optional_text(200, says="Where it comes from; shown with the answer")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how near it is to the question.

    `score` is the cosine, measured from what all sentences have in common. `relevant` says that it is
    nearer than talk about other things is, and `certainty` (0..1) how far it stands above that.
    """

    id: UUID
    question: str
    answer: str
    source: str
    page: int | None
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
                "tuned": None,
                "space": "",
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
    """Delete a pair; raises Passage.DoesNotExist. A document's passages go with the document."""
    Passage.objects.only("id").get(id=passage_id, document=None).delete()
    store.touch(NAME)


def changed() -> None:
    """Tell the caches, and have what lacks a vector embedded once this is committed."""
    from saas.chat.tasks import embed

    store.touch(NAME)
    # Robust: the rows are kept even where the queue does not answer; `catch_up` sees to them then.
    transaction.on_commit(partial(embed.delay, str(current_tenant_id())), robust=True)


def pending(adapter: Adapter | None = None) -> list[Passage]:
    """Some passages that have no vector yet: of the encoder as it is, or with a tuned model's adapter."""
    _, name = _columns(adapter)
    lacking = Passage.objects.exclude(**{name: engine.space(adapter)})
    return list(lacking.only("id", "question", "answer")[:EMBED_BATCH])


def adapters() -> list[Adapter | None]:
    """What passages are embedded with: nothing, and the live model's adapter where it has one."""
    live = store.serving("intent", rows=NAME, encoder=engine.fingerprint())
    return list(dict.fromkeys((None, live.model.adapter if live.model else None)))


def pairs() -> list[tuple[str, str]]:
    """The current tenant's questions with their answers, in an order that does not change."""
    written = Passage.objects.filter(document=None)
    return list(written.order_by("digest").values_list("question", "answer"))


def waiting() -> int:
    """How many passages have no vector at all yet."""
    return Passage.objects.filter(vector=None).count()


def _columns(adapter: Adapter | None) -> tuple[str, str]:
    """Where a passage keeps its vector and the name of that vector's space."""
    return ("vector", "encoder") if adapter is None else ("tuned", "space")


def vectors_of(passages: Sequence[Passage], adapter: Adapter | None = None) -> Vectors:
    """One vector a passage, float32[n, d]: its question as a customer asks it, and the whole of it."""
    import numpy as np

    asked = [passage.question or passage.answer for passage in passages]
    questions = engine.encode_all(asked, "query", adapter=adapter)
    texts = [f"{passage.question}\n{passage.answer}" for passage in passages]
    whole = engine.encode_all(texts, "passage", adapter=adapter)
    mixed = QUESTION_SHARE * questions + (1 - QUESTION_SHARE) * whole
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)


def embed(passages: Sequence[Passage], vectors: Vectors, adapter: Adapter | None = None) -> None:
    """Store the vectors of passages, unless their text has changed meanwhile."""
    column, name = _columns(adapter)
    for passage, vector in zip(passages, vectors, strict=True):
        Passage.objects.filter(
            id=passage.id, question=passage.question, answer=passage.answer
        ).update(**{column: vector.astype("float16").tobytes(), name: engine.space(adapter)})
    store.touch(NAME)


def is_ready(adapter: Adapter | None, *, revision: int) -> bool:
    """Whether all passages can be searched with this adapter; without one they always can."""
    return adapter is None or _is_whole(current_tenant_id(), revision, adapter.space)


@functools.lru_cache(maxsize=CACHED)
def _is_whole(tenant_id: UUID, revision: int, space: str) -> bool:
    return not Passage.objects.exclude(space=space).exists()


def search(
    vector: Vectors, k: int, *, revision: int, adapter: Adapter | None = None
) -> list[Found]:
    """The k nearest passages to one question's vector, float32[1, d], the nearest first.

    `revision` names the state of the passages (store.serving); the vector was made with `adapter`.
    """
    space = _space(current_tenant_id(), revision, adapter)
    hits = space.index.search(_directions(vector, space.centre), k)[0]
    passages = Passage.objects.defer("vector", "tuned").in_bulk([UUID(hit.id) for hit in hits])
    return [
        Found(
            id=passage.id,
            question=passage.question,
            answer=passage.answer,
            source=passage.source,
            page=passage.page,
            score=hit.score,
            relevant=hit.score > space.border,
            certainty=max(0.0, (hit.score - space.border) / (1.0 - space.border)),
        )
        for hit in hits
        if (passage := passages.get(UUID(hit.id))) is not None
    ]


@dataclass(frozen=True, slots=True)
class Space:
    """One state of one tenant's knowledge, ready to be searched.

    `centre` is what all sentences have in common, float32[d], and is taken from every question;
    `border` is the score that is no coincidence.
    """

    index: VectorIndex
    centre: Vectors
    border: float


@functools.lru_cache(maxsize=CACHED)
def _space(tenant_id: UUID, revision: int, adapter: Adapter | None) -> Space:
    """Passages as directions from their centre, and the border to unrelated talk.

    Vectors of an encoder share a large common part, which hides the differences that matter; without
    it questions and unrelated sentences come well apart (all-but-the-top, arXiv:1702.01417). Where
    the border lies is measured: BACKGROUND_SHARE of sentences about other things stay below it.
    """
    import numpy as np

    from ml.index import VectorIndex

    background = engine.background(adapter)
    centre = background.mean(axis=0)
    column, name = _columns(adapter)
    own_space = Passage.objects.filter(LIVE, **{name: engine.space(adapter)})
    found = list(own_space.values_list("id", column))
    if not found:
        return Space(VectorIndex.build([], np.zeros((0, 1), np.float32)), centre, 1.0)
    vectors = np.stack([np.frombuffer(raw, np.float16) for _, raw in found]).astype(np.float32)
    # A handful of passages has no reliable centre of its own.
    weight = len(vectors) / (len(vectors) + OWN_CENTRE)
    own = weight * vectors.mean(axis=0) + (1 - weight) * centre
    index = VectorIndex.build([str(id_) for id_, _ in found], _directions(vectors, own))
    nearest = [hits[0].score for hits in index.search(_directions(background, centre), 1)]
    return Space(index, centre, float(np.quantile(nearest, BACKGROUND_SHARE)))


def _directions(vectors: Vectors, centre: Vectors) -> Vectors:
    import numpy as np

    away = vectors - centre
    lengths = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(away / np.maximum(lengths, 1e-9), dtype=np.float32)


KIND = rows.Kind(
    name="knowledge",
    form=PassageRow,
    write=write,
    aliases={"q": "question", "a": "answer", "lang": "language", "text": "answer"},
)
