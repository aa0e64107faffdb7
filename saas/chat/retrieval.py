"""The search over a tenant's knowledge: the passages that answer a question."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from saas import engine
from saas.chat import knowledge
from saas.chat.models import Passage
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.adapters import Adapter
    from ml.retrieval import Question, Ranked, Retriever
    from ml.sentences import Span
    from ml.types import Vectors

CACHED = 64
VERSIONS = 4  # of intent models: the live one and those beside it
CANDIDATES = 20  # of which a cross-encoder chooses
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
    No language model may read what is `held`. `sentences` are the vectors of the answer's `spans`, by
    the encoder as it is.
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
    held: bool
    spans: list[Span] = field(repr=False)
    sentences: Vectors = field(repr=False)


def search(
    question: Question,
    k: int,
    *,
    live: store.Serving,
    adapter: Adapter | None = None,
    filters: Filters | None = None,
) -> list[Found]:
    """The k passages that fit a question best, by its words and its vectors.

    `live` names the state of the passages and knows what customers ask; the question was read with
    `adapter`.
    """
    space = stored(adapter, revision=live.revision)
    return space.search(question, k, filters or Filters(), crowding=space.crowding(live, adapter))


def stored(adapter: Adapter | None, *, revision: int) -> Space:
    """The current tenant's passages, by the vectors that are kept of them."""
    return _latest(current_tenant_id(), adapter).at(revision)


def space_of(passages: Sequence[Passage], adapter: Adapter | None) -> Space:
    """Passages as an adapter sees that they have no vectors of yet: no scope is open."""
    rows = [
        (p.id, p.question, p.answer, *(getattr(p, n) for n in knowledge.APPLIES)) for p in passages
    ]
    parts = [_unpacked(p.sentences) for p in passages]
    return _space(rows, knowledge.read(passages, adapter).vectors, parts, adapter)


def _found(ranked: Sequence[Ranked]) -> list[Found]:
    """Their rows as they are now; what was changed a moment ago is found again once it is embedded."""
    from ml.sentences import Span

    ready = knowledge.embedded().defer("vector", "tuned")
    found = ready.in_bulk([UUID(hit.id) for hit in ranked])
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
            held=passage.is_held,
            spans=[
                Span(*pair) for pair in zip(passage.spans[::2], passage.spans[1::2], strict=True)
            ],
            sentences=_unpacked(passage.sentences),
        )
        for hit in ranked
        if (passage := found.get(UUID(hit.id))) is not None
    ]


def candidates(k: int) -> int:
    """How many passages to search for where k are wanted."""
    return max(k, CANDIDATES) if settings.RERANKER else k


def best(text: str, found: list[Found], k: int) -> list[Found]:
    """The k that answer a question best, by the cross-encoder where there is one: no scope is open."""
    from ml.retrieval import text_of

    if settings.RERANKER and len(found) > 1:
        scores = engine.rerank(text, [text_of(hit.question, hit.answer) for hit in found])
        found = [found[place] for place in (-scores).argsort(kind="stable").tolist()]
    return found[:k]


@dataclass(frozen=True, slots=True)
class Space:
    """One state of one tenant's knowledge, ready to be searched.

    `applies` has what each passage is for; none where all of them are for everyone, always. `crowded`
    has what `Retriever.crowding` found for the questions of some versions of the intent model.
    """

    retriever: Retriever
    applies: list[tuple[str, str, date | None, date | None]]
    crowded: dict[UUID | None, Vectors] = field(default_factory=dict)

    def search(
        self, question: Question, k: int, filters: Filters, *, crowding: Vectors | None
    ) -> list[Found]:
        """See `search`."""
        among = self._rows(filters)
        return _found(self.retriever.search(question, k, among=among, crowding=crowding))

    def _rows(self, filters: Filters) -> Any:
        """The rows that may answer; None for all."""
        import numpy as np

        if not self.applies:
            return None
        return np.flatnonzero([filters.admits(row) for row in self.applies])

    def crowding(self, live: store.Serving, adapter: Adapter | None) -> Vectors | None:
        """By what the live model knows; None where its questions were read with another adapter."""
        if live.model is None or live.model.adapter is not adapter:
            return None
        found = self.crowded.get(live.version_id)
        if found is None:
            found = self.retriever.crowding(live.model.asked)
            if len(self.crowded) == VERSIONS:
                self.crowded.clear()
            self.crowded[live.version_id] = found
        return found


class Latest:
    """The latest state of one tenant's knowledge that was asked for, in one vector space.

    The next one is made out of it, so that a change costs no more than what it changes; and by one
    thread at a time.
    """

    def __init__(self, adapter: Adapter | None) -> None:
        self._adapter, self._lock = adapter, threading.Lock()
        self._space: Space | None = None
        self._revision: int | None = None

    def at(self, revision: int) -> Space:
        with self._lock:
            if self._space is None or self._revision != revision:
                self._space = _read(self._adapter, self._space)
                self._revision = revision
            return self._space


@functools.lru_cache(maxsize=CACHED)
def _latest(tenant_id: UUID, adapter: Adapter | None) -> Latest:
    return Latest(adapter)


def _read(adapter: Adapter | None, before: Space | None) -> Space:
    """The current tenant's passages as they are now."""
    import numpy as np

    column, _ = knowledge.columns(adapter)
    ready = knowledge.embedded(adapter).filter(LIVE).order_by("id")
    # Tuples, not rows: ten thousand objects would take longer than all the rest.
    columns = ("id", "question", "answer", *knowledge.APPLIES, "sentences", column)
    found = list(ready.values_list(*columns))
    raw = np.frombuffer(b"".join(row[-1] for row in found), np.float16)
    vectors = raw.astype(np.float32).reshape(-1, engine.background(adapter).shape[1])
    parts = [_unpacked(row[-2]) for row in found]
    return _space([row[:-2] for row in found], vectors, parts, adapter, before)


def _space(
    rows: Sequence[tuple[Any, ...]],
    vectors: Vectors,
    parts: list[Vectors],
    adapter: Adapter | None,
    before: Space | None = None,
) -> Space:
    """Of ids, questions, answers and what they are for; with a vector of each, float32[n, d].

    `parts` are the vectors of their sentences by the encoder as it is.
    """
    from ml.retrieval import Passages, Retriever, text_of

    passages = Passages(
        [str(row[0]) for row in rows], [text_of(row[1], row[2]) for row in rows], vectors, parts
    )
    applies = [row[3:] for row in rows]
    return Space(
        Retriever(passages, engine.strangers(adapter), before=before.retriever if before else None),
        applies if any(any(row) for row in applies) else [],
    )


def _unpacked(sentences: Any) -> Vectors:
    """float16[n, d] of a passage's sentences as they are stored."""
    import numpy as np

    found: Vectors = np.frombuffer(sentences, np.float16)
    return found.reshape(-1, engine.background().shape[1])
