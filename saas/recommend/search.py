"""The search over the catalog: what fits a description and a price, in the order that suits a customer."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from saas import engine
from saas.recommend import catalog, picks
from saas.recommend.catalog import Listing
from saas.recommend.models import Item
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.retrieval import Retriever
    from ml.types import Vectors

CACHED = 64
CANDIDATES = 20
WORDED = 0.5  # the share of a description's words that is enough without the meaning
SHORTEST = 2  # characters of a description that its words alone may find
HALF = 0.5  # of the best one's certainty: what is further away is not shown beside it
FLAT = 3.0  # places by which ranks are flattened where two orders are joined (RRF)
TASTE = 0.5  # what the customer's own order counts beside the search's


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for: its description, that one's vector by the encoder as it is, and the price."""

    text: str
    vector: Vectors
    low: Decimal | None = None
    high: Decimal | None = None

    def admits(self, item: Listing) -> bool:
        if self.low is None and self.high is None:
            return True
        return item.price is not None and (self.low or 0) <= item.price <= (self.high or item.price)


@dataclass(frozen=True, slots=True)
class Hit:
    """An available item that fits; `certainty` 0 to 1, that something fits at all."""

    item: Listing
    certainty: float


@dataclass(frozen=True, slots=True)
class _Space:
    """One state of one tenant's available items, ready to be searched."""

    ids: list[str]
    retriever: Retriever


def find(wish: Wish, k: int, *, customer: str) -> list[Hit]:
    """The k items of the current tenant that fit best; none where nothing does."""
    import numpy as np

    from ml.retrieval import Question

    encoder = engine.fingerprint()
    live = store.serving("recommend", rows=catalog.NAME, encoder=encoder)
    shelf = catalog.shelf(encoder, live.revision)
    space = _space(current_tenant_id(), live.revision, encoder)
    fits = [id_ in shelf.available and wish.admits(shelf.listed[id_]) for id_ in space.ids]
    rows = np.flatnonzero(fits)
    if not len(rows):
        return []
    shares = (
        space.retriever.words.scores(wish.text).shares
        if len(wish.text) >= SHORTEST
        else np.zeros(len(space.ids))
    )
    worded = {space.ids[row]: float(shares[row]) for row in rows if shares[row] >= WORDED}
    ranked = space.retriever.search(Question(wish.text, wish.vector), CANDIDATES, among=rows)
    sure = {hit.id: hit.certainty for hit in ranked if hit.relevant} | worded
    nearest = max(sure.values(), default=0.0)
    fitting = [id_ for id_ in sure if sure[id_] >= HALF * nearest]
    fitting.sort(key=lambda id_: -sure[id_])
    order = _joined(fitting, picks.ordered(fitting, customer=customer))
    return [Hit(shelf.listed[id_], sure[id_]) for id_ in order[:k]]


def _joined(found: list[str], liked: list[str]) -> list[str]:
    """By both orders (reciprocal ranks, Cormack et al. 2009)."""
    scores = {id_: 1 / (FLAT + place) for place, id_ in enumerate(found)}
    for place, id_ in enumerate(liked):
        scores[id_] += TASTE / (FLAT + place)
    return sorted(found, key=lambda id_: -scores[id_])


@functools.lru_cache(maxsize=CACHED)
def _space(tenant_id: UUID, revision: int, encoder: str) -> _Space:
    from ml.background import sentences
    from ml.retrieval import Passages, Retriever

    shelf = catalog.shelf(encoder, revision)
    rows = Item.objects.filter(external_id__in=shelf.vector_ids).defer("vector")
    found: dict[str, Any] = {item.external_id: item for item in rows}
    texts = [_words(found[id_]) if id_ in found else "" for id_ in shelf.vector_ids]
    background = sentences()
    return _Space(
        shelf.vector_ids,
        Retriever(
            Passages(shelf.vector_ids, texts, shelf.vectors),
            Passages(background, background, engine.background()),
        ),
    )


def _words(item: Item) -> str:
    """What is searched of an item, in all its languages."""
    translated = [text for words in item.translations.values() for text in words.values()]
    return "\n".join([catalog.text_of(item), *translated])
