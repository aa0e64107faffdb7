"""Fits a recommender: chooses and measures on held-out days, then reads all of the past."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ml.recommend import linear, tuning, wording
from ml.recommend.choice import Choice, choose, kind_weights
from ml.recommend.goods import Goods
from ml.recommend.interactions import Interactions, Matrix
from ml.recommend.plan import Plan, Settings
from ml.recommend.ranker import Ranking
from ml.recommend.sequence import SequenceModel
from ml.recommend.sequences import Sequences
from ml.recommend.signals import WINDOWS, Signals
from ml.recommend.trial import Reader, Trial, default_ranking
from ml.recommend.wording import Lens, Reading
from ml.types import Item, Progress, Vectors

BETTER = 1.01  # times the linear model's NDCG: what a sequence model must reach to be kept
FRESHNESS = 30.0  # days in which an item's freshness halves
POPULAR = 28.0  # days of the popularity list that everything is compared with


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit found: the signals of the past, how they are weighed, and how texts were read."""

    signals: Signals
    ranking: Ranking
    choice: Choice
    kinds: dict[str, float]
    metrics: dict[str, Any]
    lens: Lens | None


class Fitting:
    """One fit, of one past and one catalog."""

    def __init__(
        self,
        past: Interactions,
        items: Sequence[Item],
        vectors: Vectors | None,
        plan: Plan,
        report: Progress,
    ) -> None:
        self._past = past
        self._goods = Goods.of(items)
        self._texts = [item.text for item in items]
        self._vectors = vectors
        self._reading = None if vectors is None else Reading.of(vectors)
        self._plan = plan
        self._report = report

    def run(self) -> Fitted:
        """Of the past before the held-out days, which its settings and weights are chosen on; of
        all of it where nothing can be measured."""
        plan = self._plan
        trial = Trial.of(self._past, self._text, held_out_days=plan.held_out_days, seed=plan.seed)
        if trial is None:
            return self._fitted(
                self._signals(self._past, Choice()), default_ranking(), Choice(), {}
            )
        choice = choose(
            trial.before,
            trial.wanted,
            again=trial.again(),
            seed=plan.seed,
            progress=self._part(0.05, 0.25),
        )
        reader = Reader(trial.before, choice)
        signals = self._signals(trial.before, choice)
        ranking = trial.learn(signals, reader)
        metrics = self._compare(trial, signals, ranking, reader)
        self._report(0.35, f"linear: held-out NDCG {metrics['ndcg10']:.4f}")
        if tuned := self._tuned(trial):
            signals, ranking = self._reread(tuned, trial, signals, ranking, reader, metrics)
        if plan.sequence:
            joined = replace(signals, sequence=self._sequence(trial, reader, plan.sequence))
            learned = trial.learn(joined, reader)
            figures = trial.measure(joined, learned, reader)
            metrics["models"]["sequence"] = figures
            metrics["sequence"] = joined.sequence.metrics if joined.sequence else {}
            self._report(0.7, f"with a sequence model: held-out NDCG {figures['ndcg10']:.4f}")
            if figures["ndcg10"] >= BETTER * metrics["ndcg10"]:
                signals, ranking = joined, learned
                metrics |= figures
        return self._fitted(signals, ranking, choice, metrics)

    def refit(self, fitted: Fitted) -> Fitted:
        """The same of all of the past; a sequence model trains as long as was best before."""
        signals = self._signals(self._past, fitted.choice)
        sequence, settings = fitted.signals.sequence, self._plan.sequence
        if sequence is not None and settings is not None:
            settings = replace(settings, epochs=int(sequence.metrics["epochs"]))
            trained = self._train(self._past, settings, self._part(0.7, 1), None)
            signals = replace(signals, sequence=trained)
        return replace(fitted, signals=signals)

    def _compare(
        self, trial: Trial, signals: Signals, ranking: Ranking, reader: Reader
    ) -> dict[str, Any]:
        """The linear model's figures, and those of what is simpler."""
        figures = trial.measure(signals, ranking, reader)
        models = {
            "popularity": trial.figures(trial.popular(POPULAR)),
            "unlearned": trial.measure(signals, default_ranking(), reader),
            "linear": figures,
        }
        return figures | {
            "models": models,
            "popularity_ndcg10": models["popularity"]["ndcg10"],
            "held_out": len(trial.judges),
        }

    def _tuned(self, trial: Trial) -> Reading | None:
        """The texts as an encoder reads them that is tuned to the catalog, where that is wanted."""
        if self._plan.encoder is None or self._vectors is None:
            return None
        vectors = tuning.tuned(
            self._plan.encoder,
            self._texts,
            self._vectors,
            Sequences.of(trial.before),
            seed=self._plan.seed,
            progress=self._part(0.25, 0.35),
        )
        return None if vectors is None else Reading.tuned(vectors, self._vectors)

    def _reread(
        self,
        tuned: Reading,
        trial: Trial,
        signals: Signals,
        ranking: Ranking,
        reader: Reader,
        metrics: dict[str, Any],
    ) -> tuple[Signals, Ranking]:
        """With the tuned texts where they win: where what was taken is found better by them alone, as
        a new item must be, or by the whole list, and about as well by the other."""
        frozen, self._reading = self._reading, tuned
        joined = self._worded(signals)
        learned = trial.learn(joined, reader)
        figures = trial.measure(joined, learned, reader)
        before, after = (trial.by_text(found, reader) for found in (signals, joined))
        alone, whole = after / max(before, 1e-9), figures["ndcg10"] / max(metrics["ndcg10"], 1e-9)
        kept = max(alone, whole) >= BETTER and min(alone, whole) >= 1 / BETTER
        metrics["models"]["tuned_text"] = figures
        metrics["text"] = {"frozen_ndcg10": before, "tuned_ndcg10": after, "kept": kept}
        self._report(0.35, f"by text alone: held-out NDCG {before:.4f}, tuned {after:.4f}")
        if not kept:
            self._reading = frozen
            return signals, ranking
        metrics |= figures
        return joined, learned

    def _sequence(self, trial: Trial, reader: Reader, settings: Settings) -> SequenceModel:
        return self._train(
            trial.before,
            settings,
            self._part(0.35, 0.65),
            lambda model: trial.quality(model, reader),
        )

    def _train(
        self,
        past: Interactions,
        settings: Settings,
        progress: Progress,
        judge: Callable[[SequenceModel], float] | None,
    ) -> SequenceModel:
        weights = kind_weights(past, 0.5)
        return SequenceModel.fit(
            Sequences.of(past),
            self._text,
            np.array([weights[name] for name in past.kind_names], dtype=np.float32),
            items=past.item_count,
            settings=settings,
            seed=self._plan.seed,
            progress=progress,
            judge=judge,
        )

    def _signals(self, past: Interactions, choice: Choice) -> Signals:
        matrix = past.matrix(
            half_life=choice.half_life, kind_weights=kind_weights(past, choice.rarity)
        )
        popularity = np.stack([past.popularity(days=days) for days in WINDOWS])
        cold = np.bincount(past.items, minlength=past.item_count) == 0
        return Signals(
            weights=linear.weights(matrix, regularisation=choice.regularisation),
            lent=self._lent(cold),
            near=self._near,
            text=self._text,
            popularity=popularity,
            fresh=(0.5 ** ((past.now - past.first_days()) / FRESHNESS)).astype(np.float32),
            cold=cold,
            ranked=np.argsort(-popularity.sum(axis=0), kind="stable"),
            goods=self._goods,
            sequence=None,
        )

    @property
    def _text(self) -> Vectors | None:
        return self._reading.text if self._reading else None

    @property
    def _near(self) -> Matrix | None:
        return self._reading.near if self._reading else None

    def _worded(self, signals: Signals) -> Signals:
        """The same with the texts as they are read now."""
        lent = self._lent(signals.cold)
        return replace(signals, text=self._text, near=self._near, lent=lent)

    def _lent(self, cold: NDArray[np.bool_]) -> Matrix:
        """Sparse float32[items, items]: in the rows of the cold ones their kin."""
        some = np.zeros((0, 0), np.float32) if self._text is None else self._text[cold]
        kin = wording.kin(self._text, cold, some)
        counts = np.zeros(len(cold), dtype=np.int64)
        counts[cold] = np.diff(kin.indptr) if len(some) else 0
        starts = np.concatenate([[0], np.cumsum(counts)])
        return csr_matrix((kin.data, kin.indices, starts), (len(cold), len(cold)))

    def _fitted(
        self, signals: Signals, ranking: Ranking, choice: Choice, metrics: dict[str, Any]
    ) -> Fitted:
        kinds = kind_weights(self._past, choice.rarity)
        lens = self._reading.lens if self._reading else None
        return Fitted(signals, ranking, choice, kinds, metrics, lens)

    def _part(self, start: float, end: float) -> Progress:
        return lambda share, line: self._report(start + (end - start) * share, line)
