"""The recommender: what speaks for each item, weighed as the tenant's own past says."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml import artifact, metrics
from ml.errors import DataError
from ml.recommend import stored, wording
from ml.recommend.choice import Choice
from ml.recommend.fitting import Fitted, Fitting
from ml.recommend.interactions import Interactions
from ml.recommend.offer import Offer
from ml.recommend.plan import Plan
from ml.recommend.ranker import Ranking
from ml.recommend.reasons import NEW, Explainer
from ml.recommend.signals import Rows
from ml.recommend.taste import Past, Taste
from ml.types import Event, Item, Pick, Progress, Tensors, Vectors

KIND = "ranked-recommender-2"


class Recommender:
    """Scores the items of a catalog for a customer, from the history as it is now.

    What customers with a like past took (EASE, or item-KNN in a large catalog; a sequence
    transformer where it wins), what this one takes again, likeness in text, popularity of late, and
    the past's categories, brands and prices are weighed by a conditional logit that is learned from
    the last part of the past. An item that nobody had taken when the model was fitted has text
    alone.
    """

    def __init__(self, tensors: Tensors, meta: dict[str, Any]) -> None:
        self._tensors = tensors
        self._meta = meta
        self.choice = Choice(**meta["choice"])
        self.metrics: dict[str, Any] = meta["metrics"]
        self._items: list[str] = meta["items"]
        self._places = {item: place for place, item in enumerate(self._items)}
        self._kinds = {kind: number for number, kind in enumerate(meta["kinds"])}
        self._kind_weights = np.array(list(meta["kinds"].values()) or [1.0], dtype=np.float32)
        self._signals = stored.signals(tensors, meta)
        self._lens = wording.Lens.read(tensors)
        self._ranking = Ranking(tensors["ranking"], tensors["promising"], **meta["cold"])

    @classmethod
    def fit(
        cls,
        events: Sequence[Event],
        items: Sequence[Item],
        item_vectors: Vectors | None,
        *,
        now: float,
        plan: Plan | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Chooses the settings on the last part of the past, then fits on all of it.

        `item_vectors` is float32[items, d] of the items' texts, of length one, or None. Events of
        items outside the catalog are left out, and one dated after `now` counts as of now. Without
        events it recommends by the catalog's order. `metrics` holds the figures of `Exam` over the
        customers who came back in the held-out days, popularity_ndcg10 (a 28-day popularity list)
        and, as "models", the same figures for each model compared; it is empty where too few came
        back. Raises `DataError` when the vectors do not fit the items.
        """
        work = fitting(events, items, item_vectors, now=now, plan=plan, progress=progress)
        return cls.of(work.refit(work.run()), items)

    @classmethod
    def of(cls, fitted: Fitted, items: Sequence[Item]) -> Self:
        """What a fitting of these items found."""
        tensors, meta = stored.parts(fitted.signals)
        tensors |= {"ranking": fitted.ranking.weights, "promising": fitted.ranking.promising}
        tensors |= fitted.lens.tensors() if fitted.lens else {}
        meta |= {
            "items": [item.id for item in items],
            "kinds": fitted.kinds,
            "choice": asdict(fitted.choice),
            "metrics": fitted.metrics,
            "cold": {"base": fitted.ranking.base, "slope": fitted.ranking.slope},
        }
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
        kin = wording.kin(self._signals.text, self._signals.cold, new)
        return Offer(ids, places, new, kin, open_)

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
        offer = offer or self.offer()
        past = Past.of(history, self._places, self._kinds, now)
        taste = Taste.of(past, half_life=self.choice.half_life, kind_weights=self._kind_weights)
        echo = self._signals.echo(taste)
        open_ = offer.left(exclude)
        count = len(self._items)
        known = self._signals.candidates(echo, open_[:count], least=k)
        newer = np.flatnonzero(open_[count:])
        found = np.concatenate(
            [
                self._signals.of(past, echo, known),
                self._signals.of_new(echo, offer.new[newer], offer.kin[newer]),
            ],
            axis=1,
        )
        places = np.concatenate([known, count + newer])
        cold = np.ones(len(places), dtype=bool)
        cold[: len(known)] = self._signals.cold[known]
        scores = self._ranking.scores(found, cold & bool(len(taste.places)))
        best = metrics.best_first(scores[None], k)[0]
        explainer = Explainer(self._signals, self._ranking, past, echo)
        usual = found.sum(axis=1, keepdims=True) / np.float32(max(1, len(places)))
        above = found[:, best] - usual
        reasons = self._reasons(explainer, places[best], above, offer)
        return [
            Pick(offer.ids[place], float(score), source, because)
            for place, score, (source, because) in zip(
                places[best].tolist(), scores[best], reasons, strict=True
            )
        ]

    def similar(self, item: str, *, k: int, offer: Offer | None = None) -> list[Pick]:
        """The k items likest to one, by its text and by who takes both; none of an unknown item."""
        offer = offer or self.offer()
        place = offer.places.get(item)
        if place is None:
            return []
        likeness = np.zeros(len(offer.ids), dtype=np.float32)
        if self._signals.text is not None:
            count = len(self._items)
            text, new = self._signals.text, offer.new
            own = text[place] if place < count else new[place - count]
            likeness[:count], likeness[count:] = text @ own, new @ own
        if place < len(self._items):
            shared = np.asarray(self._signals.weights[[place]].todense()).ravel()
            likeness[: len(shared)] += shared / max(float(shared.max()), 1e-9)
        return _nearest(likeness, offer, {item}, k, "similar", lambda _: item)

    def together(self, items: Sequence[str], *, k: int, offer: Offer | None = None) -> list[Pick]:
        """The k items that go with some others, by who takes both; none where nobody does."""
        offer = offer or self.offer()
        known = [item for item in items if item in self._places]
        if not known:
            return []
        rows = self._signals.weights[[self._places[item] for item in known]]
        shared = np.zeros(len(offer.ids), dtype=np.float32)
        shared[: len(self._items)] = np.asarray(rows.sum(axis=0)).ravel()

        def cause(place: int) -> str:
            return known[int(rows[:, [place]].toarray().argmax())]

        return _nearest(shared, offer, set(items), k, "together", cause)

    def save(self, folder: Path) -> None:
        artifact.save(folder, kind=KIND, tensors=self._tensors, meta=self._meta)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `ArtifactError` where there is no whole recommender of this form."""
        return cls(*artifact.load(folder, kind=KIND))

    def _new(self, extra: tuple[list[str], Vectors] | None) -> tuple[list[str], Vectors]:
        """All candidates' ids, and the vectors, through the lens, of those the model does not know."""
        text = self._signals.text
        width = 0 if text is None else text.shape[1]
        if extra is None:
            return self._items, np.zeros((0, width), dtype=np.float32)
        rows = [row for row, item in enumerate(extra[0]) if item not in self._places]
        ids = self._items + [extra[0][row] for row in rows]
        if self._lens is None or not rows:
            return ids, np.zeros((len(rows), width), dtype=np.float32)
        return ids, self._lens.seen(extra[1][rows])

    def _reasons(
        self, explainer: Explainer, places: Rows, found: Vectors, offer: Offer
    ) -> list[tuple[str, str | None]]:
        if not len(explainer.echo.taste.places):
            return [("popular", None)] * len(places)
        count, text = len(self._items), self._signals.text
        rows = np.where(places < count, places, NEW)
        texts = None
        if text is not None:
            texts = text[np.maximum(rows, 0)]
            texts[rows == NEW] = offer.new[places[rows == NEW] - count]
        return [
            (source, None if cause is None else self._items[cause])
            for source, cause in explainer.explain(rows, found, texts)
        ]


def fitting(
    events: Sequence[Event],
    items: Sequence[Item],
    item_vectors: Vectors | None,
    *,
    now: float,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> Fitting:
    """The work that `Recommender.fit` does, for who wants to see more of it."""
    report = progress or _silent
    places = {item.id: place for place, item in enumerate(items)}
    if len(places) < len(items):
        raise DataError("an item stands in the catalog twice; give each id once")
    if item_vectors is not None:
        wording.check(item_vectors, len(items))
    past = Interactions.of(events, places, now=now)
    report(0.0, f"{len(past.days)} events of {past.customer_count} customers")
    vectors = item_vectors if items else None
    return Fitting(past, items, vectors, plan or Plan(), report)


def _nearest(
    scores: Vectors,
    offer: Offer,
    exclude: set[str],
    k: int,
    source: str,
    because: Callable[[int], str],
) -> list[Pick]:
    """Candidates in the order of their scores, as long as those are above nothing."""
    candidates = np.flatnonzero(offer.left(exclude) & (scores > 0))
    order = candidates[np.argsort(-scores[candidates], kind="stable")[: max(0, k)]]
    return [
        Pick(offer.ids[place], float(scores[place]), source, because(place))
        for place in order.tolist()
    ]


def _silent(share: float, message: str) -> None:
    """Progress that nobody asked for."""
