"""The search over a tenant's knowledge: the passages that answer a question."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from saas import engine
from saas.chat import knowledge
from saas.chat.models import Passage
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.adapters import Adapter
    from ml.retrieval import Retriever
    from ml.types import Vectors

CACHED = 64
# A document's passages answer once the whole of it has been read.
LIVE = Q(document=None) | Q(since__lte=F("document__version"))


@dataclass(frozen=True, slots=True)
class Filters:
    """Who asks about what: passages about another product, or for another audience, are left out."""

    product: str = ""
    audience: str = ""
    day: date = field(default_factory=lambda: timezone.now().date())

    def admits(self, row: tuple[str, str, date | None, date | None]) -> bool:
        product, audience, first, last = row
        return (
            (not product or not self.product or product.casefold() == self.product.casefold())
            and (not audience or audience.casefold() == self.audience.casefold())
            and (first is None or first <= self.day)
            and (last is None or self.day <= last)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how near it is to the question, see `ml.retrieval.Ranked`.

    `written` says that somebody wrote it as the answer to a question; others are parts of documents.
    No language model may read what is `suspect`.
    """

    id: UUID
    question: str
    answer: str
    source: str
    page: int | None
    score: float
    relevant: bool
    certainty: float
    written: bool
    suspect: bool


def search(
    text: str,
    vector: Vectors,
    k: int,
    *,
    revision: int,
    adapter: Adapter | None = None,
    filters: Filters | None = None,
) -> list[Found]:
    """The k passages that fit a question best, by its words and its vector, float32[1, d].

    `revision` names the state of the passages (store.serving); the vector was made with `adapter`.
    """
    from ml.retrieval import Question

    space = _space(current_tenant_id(), revision, adapter)
    ranked = space.retriever.search(
        Question(text, vector[0]), k, among=space.rows(filters or Filters())
    )
    found = Passage.objects.defer("vector", "tuned").in_bulk([UUID(hit.id) for hit in ranked])
    return [
        Found(
            id=passage.id,
            question=passage.question,
            answer=passage.answer,
            source=passage.source,
            page=passage.page,
            score=hit.score,
            relevant=hit.relevant,
            certainty=hit.certainty,
            written=passage.document_id is None,
            suspect=passage.suspect,
        )
        for hit in ranked
        if (passage := found.get(UUID(hit.id))) is not None
    ]


@dataclass(frozen=True, slots=True)
class Space:
    """One state of one tenant's knowledge, ready to be searched.

    `applies` has what each passage is for; none where all of them are for everyone, always.
    """

    retriever: Retriever
    applies: list[tuple[str, str, date | None, date | None]]

    def rows(self, filters: Filters) -> Any:
        """The rows that may answer; None for all."""
        import numpy as np

        if not self.applies:
            return None
        return np.flatnonzero([filters.admits(row) for row in self.applies])


@functools.lru_cache(maxsize=CACHED)
def _space(tenant_id: UUID, revision: int, adapter: Adapter | None) -> Space:
    import numpy as np

    from ml.background import sentences
    from ml.retrieval import Passages, Retriever, text_of

    vectors_of_others = engine.background(adapter)
    column, name = knowledge.columns(adapter)
    found = list(
        Passage.objects.filter(LIVE, **{name: engine.space(adapter)})
        .only("id", "question", "answer", column, *knowledge.APPLIES)
        .order_by("id")
    )
    vectors = np.zeros((0, vectors_of_others.shape[1]), np.float32)
    if found:
        raw = [np.frombuffer(getattr(passage, column), np.float16) for passage in found]
        vectors = np.stack(raw).astype(np.float32)
    passages = Passages(
        [str(passage.id) for passage in found],
        [text_of(passage.question, passage.answer) for passage in found],
        vectors,
    )
    background = sentences()
    applies = [(p.product, p.audience, p.valid_from, p.valid_until) for p in found]
    return Space(
        Retriever(passages, Passages(background, background, vectors_of_others)),
        applies if any(any(row) for row in applies) else [],
    )
