"""How good lists of recommendations are, against what customers then took."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.types import Vectors

TOP = 10
WARM, HOT = 3, 11  # events from which a customer or an item is warm, and hot
CLASSES = ("cold", "warm", "hot")
DEBIASING = 0.5  # an item counts by its popularity to the minus this (Yang et al. 2018)

Lists = NDArray[np.intp]  # [customers, up to 10], -1 where a list is shorter


@dataclass(frozen=True, slots=True)
class Exam:
    """What customers took (`taken[i]` are places of items), and what was known before.

    `events` is how many each of them had, `popularity` how many each item had.
    """

    taken: list[NDArray[np.intp]]
    events: NDArray[np.intp]
    popularity: NDArray[np.intp]
    text: Vectors | None

    def figures(self, lists: Lists) -> dict[str, Any]:
        """ndcg10, recall10, mrr10, coverage, novelty (bits), diversity (1 - likeness in text, null
        without texts), debiased_ndcg10; and ndcg10 by classes of customers and of items."""
        hits = self._hits(lists)
        gains = metrics.ndcg(hits, self._counts())
        return {
            "ndcg10": float(gains.mean()),
            "recall10": float(
                np.mean(
                    [row.sum() / len(items) for row, items in zip(hits, self.taken, strict=True)]
                )
            ),
            "mrr10": float(np.mean([_first(row) for row in hits])),
            "coverage": len(np.unique(lists[lists >= 0])) / len(self.popularity),
            "novelty": self._novelty(lists),
            "diversity": self._diversity(lists),
            "debiased_ndcg10": self._debiased(lists, hits),
            "customers": {
                name: {"count": int(rows.sum()), "ndcg10": _mean(gains[rows])}
                for name, rows in _classes(self.events).items()
            },
            "items": self._by_items(lists),
        }

    def _hits(self, lists: Lists) -> NDArray[np.bool_]:
        return np.array(
            [np.isin(row, items) for row, items in zip(lists, self.taken, strict=True)], dtype=bool
        ).reshape(lists.shape)

    def _counts(self) -> NDArray[np.intp]:
        return np.array([len(items) for items in self.taken], dtype=np.intp)

    def _novelty(self, lists: Lists) -> float:
        shares = (self.popularity + 1) / (self.popularity.sum() + len(self.popularity))
        shown = lists[lists >= 0]
        return float(-np.log2(shares[shown]).mean()) if len(shown) else 0.0

    def _diversity(self, lists: Lists) -> float | None:
        if self.text is None:
            return None
        unlike = []
        for row in lists:
            vectors = self.text[row[row >= 0]]
            count = len(vectors)
            if count > 1:
                total = float(vectors.sum(axis=0) @ vectors.sum(axis=0))
                unlike.append(1 - (total - float((vectors**2).sum())) / (count * (count - 1)))
        return float(np.mean(unlike)) if unlike else None

    def _debiased(self, lists: Lists, hits: NDArray[np.bool_]) -> float:
        discounts = 1 / np.log2(np.arange(lists.shape[1]) + 2)
        weight = (self.popularity + 1.0) ** -DEBIASING
        got = (hits * discounts * weight[lists]).sum(axis=1)
        return float(got.sum() / sum(weight[items].sum() for items in self.taken))

    def _by_items(self, lists: Lists) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, chosen in _classes(self.popularity).items():
            rows = [n for n, items in enumerate(self.taken) if chosen[items].any()]
            some = Exam(
                [self.taken[n][chosen[self.taken[n]]] for n in rows],
                self.events[rows],
                self.popularity,
                None,
            )
            gains = metrics.ndcg(some._hits(lists[rows]), some._counts())
            found[name] = {"count": len(rows), "ndcg10": _mean(gains)}
        return found


def _classes(counts: NDArray[np.intp]) -> dict[str, NDArray[np.bool_]]:
    return dict(
        zip(
            CLASSES,
            (counts < WARM, (counts >= WARM) & (counts < HOT), counts >= HOT),
            strict=True,
        )
    )


def _first(hits: NDArray[np.bool_]) -> float:
    return 1 / (int(hits.argmax()) + 1) if hits.any() else 0.0


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
