"""Why items are recommended: what of their scores is owed to which item of the past."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.recommend.goods import NONE
from ml.recommend.interactions import Matrix
from ml.recommend.ranker import Ranking
from ml.recommend.signals import BY_LIKENESS, NAMES, Echo, Rows, Signals
from ml.recommend.taste import Past
from ml.types import Vectors

BEHAVIOUR = ("behaviour", "latest", "sequence", "repeat", "count", "category", "brand", "price")
POPULAR = ("week", "month", "season", "fresh")
NEW = -1  # the row of a pick that is newer than the model


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains picks by the summands of their own scores, not by a likeness after the fact."""

    signals: Signals
    ranking: Ranking
    past: Past
    echo: Echo

    def explain(
        self, rows: Rows, found: Vectors, texts: Vectors | None
    ) -> Iterator[tuple[str, int | None]]:
        """For each pick what spoke for it most ("behaviour", "text" or "popular"), and the item of
        the past, as a row, that this owes most to.

        `found` is float32[signals, picks], less what a usual candidate has; `texts` are the picks'
        text vectors; `NEW` is the row of a pick that is newer than the model.
        """
        parts = self.ranking.weights[:, None] * found
        behaviour, popular = _sum(parts, BEHAVIOUR), _sum(parts, POPULAR)
        cold = np.where(rows == NEW, True, self.signals.cold[rows])
        by_behaviour = self._by_behaviour(rows)
        by_text = None if texts is None else self._by_text(texts, cold)
        worded = parts[BY_LIKENESS].sum(axis=0) > np.maximum(behaviour, popular)
        for pick in range(len(rows)):
            if by_text is not None and (cold[pick] or worded[pick]):
                yield "text", self._most(by_text[:, pick])
            elif behaviour[pick] > popular[pick] and by_behaviour[:, pick].max(initial=0.0) > 0:
                yield "behaviour", self._most(by_behaviour[:, pick])
            else:
                yield "popular", None

    def _most(self, shares: Vectors) -> int:
        return int(self.echo.taste.places[int(shares.argmax())])

    def _by_text(self, texts: Vectors, cold: NDArray[np.bool_]) -> Vectors:
        """float32[items of the past, picks]."""
        assert self.signals.text is not None  # noqa: S101  (texts are of the same model)
        taste, ranking = self.echo.taste, self.ranking
        counts = np.where(cold, ranking.promising[:, None], ranking.weights[:, None])[BY_LIKENESS]
        likeness = self.signals.text[taste.places] @ texts.T
        return np.asarray(taste.both.T @ counts * likeness)

    def _by_behaviour(self, rows: Rows) -> Vectors:
        """float32[items of the past, picks]: each one's summands of the picks' scores."""
        taste, weight = self.echo.taste, dict(zip(NAMES, self.ranking.weights, strict=True))
        said = weight["behaviour"] * taste.strengths + weight["latest"] * taste.latest
        shares = _columns(self.echo.shared, rows) * said[:, None]
        again = weight["repeat"] * taste.strengths + weight["count"] * taste.counts
        shares += again[:, None] * (taste.places[:, None] == rows[None, :])
        part = taste.strengths / max(float(taste.strengths.sum()), 1e-9)
        goods = self.signals.goods
        for name, codes in (("category", goods.categories), ("brand", goods.brands)):
            shares += weight[name] * part[:, None] * _same(codes, taste.places, rows)
        if self.signals.sequence is not None:
            shares += weight["sequence"] * self._by_sequence(rows)
        return np.asarray(shares)

    def _by_sequence(self, rows: Rows) -> Vectors:
        """float32[items of the past, picks]: by how much a score falls without each item."""
        model = self.signals.sequence
        assert model is not None  # noqa: S101
        items, falls = model.falls(self.past, np.maximum(rows, 0))
        falls[:, rows == NEW] = 0
        places = {int(item): place for place, item in enumerate(self.echo.taste.places)}
        shares = np.zeros((len(places), len(rows)), dtype=np.float32)
        for item, fall in zip(items.tolist(), falls, strict=True):
            if item in places:
                shares[places[item]] = fall
        return shares


def _columns(matrix: Matrix, rows: Rows) -> Vectors:
    """float32[matrix's rows, rows]: these columns of it, of those that are `NEW` nothing."""
    picks = np.full(matrix.shape[1], NEW)
    picks[rows[rows != NEW]] = np.flatnonzero(rows != NEW)
    found = np.zeros((matrix.shape[0], len(rows)), dtype=np.float32)
    of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns = picks[matrix.indices]
    there = columns != NEW
    found[of[there], columns[there]] = matrix.data[there]
    return found


def _same(codes: NDArray[np.int32], places: Rows, rows: Rows) -> NDArray[np.bool_]:
    """bool[places, rows]: of one class; what is newer than the model is of none."""
    others = np.where(rows == NEW, NONE, codes[rows])
    return np.asarray((codes[places][:, None] == others[None, :]) & (others[None, :] != NONE))


def _sum(parts: Vectors, names: tuple[str, ...]) -> Vectors:
    return np.asarray(parts[[NAMES.index(name) for name in names]].sum(axis=0))
