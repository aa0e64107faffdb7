"""The search over the catalog: what fits a description and a price, in the order that suits a customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from saas import engine
from saas.recommend import catalog, taste
from saas.recommend.assortment import Assortment, Catalog, Limits, assortment, present
from saas.recommend.catalog import Listing, text_of
from saas.recommend.models import Item
from saas.training import store

if TYPE_CHECKING:
    from ml.retrieval import Retriever
    from ml.types import Event, Vectors

CANDIDATES = 20
WORDED = 0.5  # the share of a description's words that is enough without the meaning
SHORTEST = 2  # characters of a description that its words alone may find
HALF = 0.5  # of the best one's certainty: what is further away is not shown beside it
FLAT = 3.0  # places by which ranks are flattened where two orders are joined (RRF)
CHINESE = "\u3400"  # the first character that is
TASTE = 0.5  # what the customer's own order counts beside the search's


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for: its description, that one's vector by the encoder as it is, and the price."""

    text: str
    vector: Vectors
    low: Decimal | None = None
    high: Decimal | None = None

    @property
    def filters(self) -> tuple[str, ...]:
        """The price, as filters."""
        low = (f"price >= {self.low}",) if self.low is not None else ()
        return low + ((f"price <= {self.high}",) if self.high is not None else ())


@dataclass(frozen=True, slots=True)
class Hit:
    """An available item that fits; `certainty` 0 to 1, that something fits at all."""

    item: Listing
    certainty: float


def read(text: str) -> Wish:
    """What a customer's own words look for, encoded. No transaction is needed."""
    from ml import prices

    price = prices.read(text)
    words = price.rest.strip() or text
    return Wish(words, engine.encode([words], "query")[0], price.low, price.high)


def find(wish: Wish, k: int, *, customer: str) -> list[Hit]:
    """The k items of the current tenant that fit best; none where nothing does."""
    live = store.serving("recommend", rows=catalog.NAME, encoder=engine.fingerprint())
    of = present(live)
    among = assortment(of, Limits(filters=wish.filters))
    past = taste.history(customer) if customer else []
    return hits(wish, k, of=of, live=live, past=past, among=among)


def hits(
    wish: Wish,
    k: int,
    *,
    of: Catalog,
    live: store.Serving,
    past: Sequence[Event],
    among: Assortment,
) -> list[Hit]:
    """The same of `among`, for who has this past."""
    import numpy as np

    from ml.retrieval import Question

    ids, listed = of.shelf.vector_ids, of.shelf.listed
    rows = np.flatnonzero(among.mask[of.vector_places])
    if not len(rows):
        return []
    retriever: Retriever = of.lasting.get("retriever", lambda: _retriever(of))
    shares = (
        retriever.words.scores(wish.text).shares
        if len(wish.text) >= SHORTEST
        else np.zeros(len(ids))
    )
    worded = {ids[row]: float(shares[row]) for row in rows[shares[rows] >= WORDED]}
    ranked = retriever.search(Question(wish.text, wish.vector), max(k, CANDIDATES), among=rows)
    sure = {hit.id: hit.certainty for hit in ranked if hit.relevant} | worded
    nearest = max(sure.values(), default=0.0)
    fitting = [id_ for id_ in sure if sure[id_] >= HALF * nearest]
    fitting.sort(key=lambda id_: -sure[id_])
    order = _joined(fitting, taste.ordered(fitting, past, of=of, live=live))
    return [Hit(listed[id_], sure[id_]) for id_ in order[:k]]


def matched(wish: Wish, found: Sequence[Hit]) -> dict[str, str]:
    """Which of the wish's words each item has, with blanks between; its meaning alone where none."""
    from ml import lexical

    runs = list(dict.fromkeys(lexical.TOKEN.findall(wish.text.casefold())))
    ids = [hit.item.external_id for hit in found]
    items = Item.objects.filter(external_id__in=ids).defer("vector")
    texts = {item.external_id: _words(item).casefold() for item in items}
    tokens = {id_: set(lexical.TOKEN.findall(text)) for id_, text in texts.items()}
    return {
        id_: " ".join(
            part
            for run in runs
            for part in (
                _shared(run, texts[id_]) if run[0] >= CHINESE else [run] * (run in tokens[id_])
            )
        )
        for id_ in texts
    }


def _shared(run: str, text: str) -> list[str]:
    """The longest parts of Chinese writing, two characters at least, that the text has."""
    parts, start = [], 0
    while start < len(run) - 1:
        ends = range(len(run), start + 1, -1)
        end = next((end for end in ends if run[start:end] in text), start)
        if end > start:
            parts.append(run[start:end])
        start = max(end, start + 1)
    return parts


def _joined(found: list[str], liked: list[str]) -> list[str]:
    """By both orders (reciprocal ranks, Cormack et al. 2009)."""
    scores = {id_: 1 / (FLAT + place) for place, id_ in enumerate(found)}
    for place, id_ in enumerate(liked):
        scores[id_] += TASTE / (FLAT + place)
    return sorted(found, key=lambda id_: -scores[id_])


def _retriever(of: Catalog) -> Retriever:
    """Over what is for sale at any time."""
    from ml.retrieval import Passages, Retriever

    shelf = of.shelf
    rows = Item.objects.filter(external_id__in=shelf.vector_ids).defer("vector")
    found: dict[str, Any] = {item.external_id: item for item in rows}
    texts = [_words(found[id_]) if id_ in found else "" for id_ in shelf.vector_ids]
    passages = Passages(shelf.vector_ids, texts, shelf.vectors)
    return Retriever(passages, engine.strangers())


def _words(item: Item) -> str:
    """What is searched of an item, in all its languages."""
    translated = [text for words in item.translations.values() for text in words.values()]
    return "\n".join([text_of(item), *translated])
