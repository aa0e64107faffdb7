"""The last part of a past: what a recommender that knows the rest is learned and measured on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.recommend.choice import Choice, kind_weights
from ml.recommend.evaluation import TOP, Exam, Lists
from ml.recommend.interactions import Interactions, Matrix
from ml.recommend.ranker import Decision, Ranking, learn
from ml.recommend.sequence import SequenceModel
from ml.recommend.sequences import Sequences
from ml.recommend.signals import NAMES, Rows, Signals
from ml.recommend.taste import Past, Taste
from ml.types import Vectors

FEWEST = 20  # customers who came back, without whom nothing is measured
MOST = 4_000  # of them: half to learn the ranking from, half to measure it on
CELLS = 2_500_000  # candidates that a ranking is learned on, of all learners
DEFAULT = {"behaviour": 1.0, "repeat": 1.0, "month": 0.3, "text": 0.1}
SELDOM = 0.02  # repeats among what was taken, below which nothing is expected to be taken again


class Reader:
    """The customers of a past, as a ranking reads them."""

    def __init__(self, past: Interactions, choice: Choice) -> None:
        self._sequences = Sequences.of(past)
        self._now = past.now
        self._half_life = choice.half_life
        weights = kind_weights(past, choice.rarity)
        self._kinds = np.array([weights[name] for name in past.kind_names] or [1.0], np.float32)

    def past(self, customer: int) -> Past:
        whole = self._sequences
        part = slice(int(whole.starts[customer]), int(whole.starts[customer + 1]))
        return Past(whole.items[part], whole.kinds[part], whole.days[part], self._now)

    def taste(self, past: Past) -> Taste:
        return Taste.of(past, half_life=self._half_life, kind_weights=self._kinds)


@dataclass(frozen=True, slots=True)
class Trial:
    """A past before a day, and the customers who took something after it, as two groups.

    `wanted` is sparse bool[customers, items].
    """

    before: Interactions
    wanted: Matrix
    learners: NDArray[np.intp]
    judges: NDArray[np.intp]
    text: Vectors | None

    @classmethod
    def of(
        cls, past: Interactions, text: Vectors | None, *, held_out_days: float, seed: int
    ) -> "Trial | None":
        """None where too few customers came back to measure anything."""
        if not len(past.days):
            return None
        span = past.now - float(past.days.min())
        before, after = past.split(past.now - min(held_out_days, span / 5))
        wanted = after.taken()
        came_back = np.bincount(before.customers, minlength=before.customer_count) > 0
        rows = np.flatnonzero(came_back & (wanted.getnnz(axis=1) > 0))
        if len(rows) < FEWEST:
            return None
        rows = np.random.default_rng(seed).permutation(rows)[:MOST]
        half = len(rows) // 2
        return cls(before, wanted, rows[:half], rows[half:], text)

    def learn(self, signals: Signals, reader: Reader) -> Ranking:
        """The ranking of these signals, from the learners."""
        decisions: list[Decision] = []
        left = CELLS
        for customer in self.learners:
            rows, found = self._look(signals, reader, int(customer))
            wanted = self._taken(int(customer))
            taken = np.isin(rows, wanted)
            if taken.any():
                decisions.append(Decision(found, signals.cold[rows], taken, len(wanted)))
                left -= len(rows)
            if left < 0:
                break
        return learn(decisions, default_ranking())

    def measure(self, signals: Signals, ranking: Ranking, reader: Reader) -> dict[str, Any]:
        """The figures of a ranking, on the judges (`Exam.figures`)."""
        lists = np.full((len(self.judges), TOP), -1, dtype=np.intp)
        for row, customer in enumerate(self.judges):
            rows, found = self._look(signals, reader, int(customer))
            scores = ranking.scores(found, signals.cold[rows])
            best = rows[np.argsort(-scores, kind="stable")[:TOP]]
            lists[row, : len(best)] = best
        return self.figures(lists)

    def figures(self, lists: Lists) -> dict[str, Any]:
        events = np.bincount(self.before.customers, minlength=self.before.customer_count)
        exam = Exam(
            [self._taken(int(customer)) for customer in self.judges],
            events[self.judges],
            np.bincount(self.before.items, minlength=self.before.item_count),
            self.text,
        )
        return exam.figures(lists)

    def popular(self, days: float) -> Lists:
        """The same list for all judges: what was most popular in the days before."""
        best = np.argsort(-self.before.popularity(days=days), kind="stable")[:TOP]
        return np.tile(best, (len(self.judges), 1))

    def quality(self, model: SequenceModel, reader: Reader) -> float:
        """NDCG@10 of a sequence model alone, on the learners."""
        return self._alone(self.learners, reader, lambda pasts: model.read(pasts) @ model.vectors.T)

    def by_text(self, signals: Signals, reader: Reader) -> float:
        """NDCG@10 of likeness in text alone, on the judges."""

        text = signals.text
        if text is None:
            return 0.0

        def scores(pasts: list[Past]) -> Vectors:
            found = [signals.echo(reader.taste(past)).profiles.sum(axis=0) for past in pasts]
            return np.asarray(np.stack(found) @ text.T)

        return self._alone(self.judges, reader, scores)

    def _alone(
        self,
        customers: NDArray[np.intp],
        reader: Reader,
        scored: Callable[[list[Past]], Vectors],
    ) -> float:
        """NDCG@10 of float32[pasts, items]; what customers had is left out if it seldom is taken again."""
        again = self.again()
        gains = []
        for part in np.array_split(customers, max(1, len(customers) // 256)):
            pasts = [reader.past(int(customer)) for customer in part]
            scores = scored(pasts)
            if not again:
                for row, past in enumerate(pasts):
                    scores[row, past.items] = -np.inf
            top = metrics.best_first(scores, TOP)
            wanted = self.wanted[part]
            hits = np.asarray(wanted[np.arange(len(part))[:, None], top].todense())
            gains.append(metrics.ndcg(hits, wanted.getnnz(axis=1)))
        return float(np.concatenate(gains).mean())

    def again(self) -> bool:
        """Whether customers take items that they had before, in more than a few cases."""
        had = self.before.taken()[self.learners].multiply(self.wanted[self.learners])
        return bool(had.nnz >= SELDOM * self.wanted[self.learners].nnz)

    def _look(self, signals: Signals, reader: Reader, customer: int) -> tuple[Rows, Vectors]:
        past = reader.past(customer)
        echo = signals.echo(reader.taste(past))
        rows = signals.candidates(echo, np.ones(self.before.item_count, dtype=bool))
        return rows, signals.of(past, echo, rows)

    def _taken(self, customer: int) -> NDArray[np.intp]:
        return np.asarray(
            self.wanted.indices[self.wanted.indptr[customer] : self.wanted.indptr[customer + 1]]
        )


def default_ranking() -> Ranking:
    """How signals are weighed where there is nothing to learn it from."""
    weights = np.array([DEFAULT.get(name, 0.0) for name in NAMES], dtype=np.float32)
    return Ranking(weights, np.array([name == "text" for name in NAMES], dtype=np.float32))
