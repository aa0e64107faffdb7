"""The recommender: behaviour, text and popularity, weighted by what the tenant's own past says."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import artifact
from ml.errors import DataError
from ml.recommend import linear, wording
from ml.recommend.choice import Choice, choose, kind_weights
from ml.recommend.interactions import DAY, Interactions
from ml.recommend.offer import Offer
from ml.types import Event, Item, Pick, Progress, Tensors, Vectors

KIND = "recommender"
LONGEST_HISTORY = 300  # distinct items of a customer that are looked at, the strongest ones
SOURCES = ("behaviour", "text", "popular")


@dataclass(frozen=True, slots=True)
class _Taste:
    """A history: the places of its known items, and how strong each is, of length one."""

    places: NDArray[np.intp]
    strengths: Vectors


class Recommender:
    """Scores every item of the catalog for a customer, from the history as it is now.

    score = behaviour (EASE, or item-KNN in a large catalog) + repeat (what the customer took
    before) + text (likeness to the history) + popularity of late. An item that nobody had taken
    when the model was fitted has text alone, weighted so that the likest stands at tenth place.
    """

    def __init__(self, tensors: Tensors, meta: dict[str, Any]) -> None:
        from scipy.sparse import csr_matrix

        self._tensors = tensors
        self._meta = meta
        self.choice = Choice(**meta["choice"])
        self.metrics: dict[str, float] = meta["metrics"]
        self._items: list[str] = meta["items"]
        self._places = {item: place for place, item in enumerate(self._items)}
        count = len(self._items)
        self._weights = csr_matrix(
            (tensors["values"], tensors["columns"], tensors["rows"]), (count, count)
        )
        self._text = tensors.get("text")
        self._cold = tensors["cold"].astype(bool)

    @classmethod
    def fit(
        cls,
        events: Sequence[Event],
        items: Sequence[Item],
        item_vectors: Vectors | None,
        *,
        now: float,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Self:
        """Chooses the settings on the last part of the past, then fits on all of it.

        `item_vectors` is float32[items, d] of the items' texts, of length one, or None. Events of
        items outside the catalog are left out, and one dated after `now` counts as of now. Without
        events it recommends by the catalog's order. `metrics` holds ndcg10, recall10,
        popularity_ndcg10 (a 28-day popularity list) and coverage, over the customers who came back
        in the held-out days; it is empty where too few did. Raises `DataError` when the vectors do
        not fit the items.
        """
        report = progress or _silent
        places = {item.id: place for place, item in enumerate(items)}
        if len(places) < len(items):
            raise DataError("an item stands in the catalog twice; give each id once")
        text = wording.centred(item_vectors, len(items))
        past = Interactions.of(events, places, now=now)
        report(0.0, f"{len(past.days)} events of {past.customer_count} customers")
        choice, metrics = choose(
            past, text, seed=seed, progress=lambda p, m: report(0.05 + 0.75 * p, m)
        )
        kinds = kind_weights(past, choice.rarity)
        matrix = past.matrix(half_life=choice.half_life, kind_weights=kinds)
        weights = linear.weights(matrix, regularisation=choice.regularisation)
        tensors: Tensors = {
            "values": weights.data,
            "columns": weights.indices.astype(np.int32),
            "rows": weights.indptr.astype(np.int64),
            "popularity": past.popularity(days=choice.popularity_days),
            "cold": (np.bincount(past.items, minlength=len(items)) == 0).astype(np.uint8),
        }
        if text is not None and item_vectors is not None:
            tensors |= {"text": text, "centre": item_vectors.mean(axis=0).astype(np.float32)}
        meta = {
            "items": [item.id for item in items],
            "kinds": kinds,
            "choice": choice.to_json(),
            "metrics": metrics,
            "cold_text": wording.cold_weight(
                matrix, weights, choice.popularity * tensors["popularity"], text, seed=seed
            ),
        }
        report(1.0, f"fitted on {len(items)} items")
        return cls(tensors, meta)

    def offer(
        self,
        *,
        allowed: Collection[str] | None = None,
        extra: tuple[list[str], Vectors] | None = None,
    ) -> Offer:
        """What may be recommended of a catalog: all of it, or what is `allowed`.

        `extra` are the ids and vectors, float32[m, d], of items newer than the model; it may hold
        others, too.
        """
        ids, new = self._new(extra)
        open_ = np.fromiter((allowed is None or item in allowed for item in ids), bool, len(ids))
        places = {item: place for place, item in enumerate(ids)}
        return Offer(ids, places, new, open_)

    def recommend(
        self,
        history: Sequence[Event],
        *,
        now: float,
        k: int,
        offer: Offer | None = None,
        exclude: Collection[str] = frozenset(),
    ) -> list[Pick]:
        """The k best items for a customer with this history, the best first.

        `offer` is what may be recommended, by default all that the model was fitted on. Items the
        customer already has are recommended again where that pays; `exclude` them where it must not
        be. Fewer than k come back only where fewer are allowed.
        """
        taste = self._read(history, now)
        offer = offer or self.offer()
        parts = self._parts(taste, offer.new)
        scores = parts.sum(axis=0)
        candidates = offer.candidates(exclude)
        order = candidates[np.argsort(-scores[candidates], kind="stable")[: max(0, k)]]
        reasons = self._reasons(taste, order, parts[:, order], offer.new)
        return [
            Pick(offer.ids[place], float(scores[place]), source, because)
            for place, (source, because) in zip(order.tolist(), reasons, strict=True)
        ]

    def similar(self, item: str, *, k: int, offer: Offer | None = None) -> list[Pick]:
        """The k items likest to one, by its text and by who takes both; none of an unknown item."""
        offer = offer or self.offer()
        place = offer.places.get(item)
        if place is None:
            return []
        likeness = np.zeros(len(offer.ids), dtype=np.float32)
        if self._text is not None:
            vectors = np.concatenate([self._text, offer.new])
            likeness += vectors @ vectors[place]
        if place < len(self._items):
            shared = np.asarray(self._weights[[place]].todense()).ravel()
            likeness[: len(shared)] += shared / max(float(shared.max()), 1e-9)
        return self._nearest(likeness, offer, {item}, "similar", lambda _: item, k)

    def together(self, items: Sequence[str], *, k: int, offer: Offer | None = None) -> list[Pick]:
        """The k items that go with some others, by who takes both; none where nobody does."""
        offer = offer or self.offer()
        known = [item for item in items if item in self._places]
        if not known:
            return []
        rows = self._weights[[self._places[item] for item in known]]
        shared = np.zeros(len(offer.ids), dtype=np.float32)
        shared[: len(self._items)] = np.asarray(rows.sum(axis=0)).ravel()
        return self._nearest(
            shared,
            offer,
            set(items),
            "together",
            lambda place: known[int(rows[:, [place]].toarray().argmax())],
            k,
        )

    def _nearest(
        self,
        scores: Vectors,
        offer: Offer,
        exclude: set[str],
        source: str,
        because: Callable[[int], str],
        k: int,
    ) -> list[Pick]:
        """Candidates in the order of scores, as long as those are above nothing."""
        candidates = offer.candidates(exclude)
        candidates = candidates[scores[candidates] > 0]
        order = candidates[np.argsort(-scores[candidates], kind="stable")[: max(0, k)]]
        return [
            Pick(offer.ids[place], float(scores[place]), source, because(place))
            for place in order.tolist()
        ]

    def save(self, folder: Path) -> None:
        artifact.save(folder, kind=KIND, tensors=self._tensors, meta=self._meta)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `ArtifactError` where there is no whole recommender."""
        return cls(*artifact.load(folder, kind=KIND))

    def _read(self, history: Sequence[Event], now: float) -> _Taste:
        kinds = self._meta["kinds"]
        lightest = min(kinds.values(), default=1.0)  # for a kind the model has not met
        sums: dict[int, float] = {}
        for event in history:
            place = self._places.get(event.item)
            if place is not None:
                age = max(0.0, now - event.at) / DAY
                weight = kinds.get(event.kind, lightest) * 0.5 ** (age / self.choice.half_life)
                sums[place] = sums.get(place, 0.0) + weight
        places = sorted(sums, key=lambda place: -sums[place])[:LONGEST_HISTORY]
        strengths = np.log1p(np.array([sums[place] for place in places], dtype=np.float32))
        strengths /= np.float32(max(float(np.linalg.norm(strengths)), 1e-9))
        return _Taste(np.array(places, dtype=np.intp), strengths)

    def _new(self, extra: tuple[list[str], Vectors] | None) -> tuple[list[str], Vectors]:
        """All candidates' ids, and the centred vectors of those that the model does not know."""
        width = 0 if self._text is None else self._text.shape[1]
        if extra is None:
            return self._items, np.zeros((0, width), dtype=np.float32)
        rows = [row for row, item in enumerate(extra[0]) if item not in self._places]
        ids = self._items + [extra[0][row] for row in rows]
        if self._text is None or not rows:
            return ids, np.zeros((len(rows), width), dtype=np.float32)
        return ids, wording.unit(extra[1][rows] - self._tensors["centre"])

    def _parts(self, taste: _Taste, new: Vectors) -> Vectors:
        """float32[3, candidates]: what behaviour, text and popularity give to each candidate."""
        count = len(self._items)
        parts = np.zeros((3, count + len(new)), dtype=np.float32)
        parts[2, :count] = self.choice.popularity * self._tensors["popularity"]
        if len(taste.places):
            parts[0, :count] = self._weights[taste.places].T @ taste.strengths
            parts[0, taste.places] += self.choice.repeat * taste.strengths
            parts[1] = self._likeness(taste, new)
        return parts

    def _likeness(self, taste: _Taste, new: Vectors) -> Vectors:
        likeness = np.zeros(len(self._items) + len(new), dtype=np.float32)
        if self._text is not None:
            profile = taste.strengths @ self._text[taste.places]
            cold = np.flatnonzero(self._cold)
            if self.choice.text:
                likeness[: len(self._items)] = self.choice.text * (self._text @ profile)
            likeness[cold] = self._meta["cold_text"] * (self._text[cold] @ profile)
            likeness[len(self._items) :] = self._meta["cold_text"] * (new @ profile)
        return likeness

    def _reasons(
        self, taste: _Taste, order: NDArray[np.intp], parts: Vectors, new: Vectors
    ) -> list[tuple[str, str | None]]:
        """For each pick the part that spoke for it most, and the history item that part owes most.

        What a history item contributes is its own summand in the score, not a likeness after the
        fact.
        """
        if not len(taste.places):
            return [("popular", None)] * len(order)
        known = order < len(self._items)
        columns = np.where(known, order, 0)
        behaviour = self._weights[taste.places][:, columns].toarray()
        behaviour += self.choice.repeat * (taste.places[:, None] == order[None, :])
        shares = [behaviour * taste.strengths[:, None]]
        if self._text is not None:
            vectors = self._text[columns]
            vectors[~known] = new[order[~known] - len(self._items)]
            shares.append((self._text[taste.places] @ vectors.T) * taste.strengths[:, None])
        reasons: list[tuple[str, str | None]] = []
        for column, part in enumerate(parts.argmax(axis=0).tolist()):
            if part == 2 or parts[part, column] <= 0:
                reasons.append(("popular", None))
            else:
                cause = taste.places[int(shares[part][:, column].argmax())]
                reasons.append((SOURCES[part], self._items[cause]))
        return reasons


def _silent(share: float, message: str) -> None:
    """Progress that nobody asked for."""
