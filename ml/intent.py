"""The instant intent model: live seconds after an import, honest about what it does not know."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from ml import artifact, tuning
from ml.errors import DataError
from ml.familiarity import Familiarity
from ml.head import Head, softmax
from ml.types import Guess, Prediction, Progress, Vectors

KIND = "intent"


class IntentModel:
    """A kernel classifier on frozen sentence vectors, with calibrated confidence and scope.

    Confidence is calibrated by one temperature (Guo et al. 2017, arXiv:1706.04599). Whether a text
    is in scope is told by the largest logit (Vaze et al. 2022, arXiv:2110.06207) together with
    `ml.familiarity`; the threshold needs no out-of-scope examples of a tenant, see `ml.tuning`.
    """

    def __init__(
        self,
        labels: list[str],
        head: Head,
        familiarity: Familiarity,
        *,
        calibration: tuning.Calibration,
    ) -> None:
        self.labels = labels
        self.metrics = calibration.metrics
        self._head = head
        self._familiarity = familiarity
        self._calibration = calibration

    @classmethod
    def fit(
        cls,
        vectors: Vectors,
        labels: Sequence[str],
        *,
        background: Vectors | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Self:
        """From float32[n, d], the encoder's vectors of kind "query", and a label for each.

        `background` is float32[m, d] of sentences about other things (`ml.background`), by which
        small talk is told from what a tenant's customers ask.

        Kernel and regularisation are chosen on held-out examples, then the model is fitted on all.
        `metrics` holds what the held-out ones say: accuracy, macro_f1, ece, and for whole intents
        held out as if unknown oos_auroc, oos_recall and in_scope_recall. A figure that these data
        cannot tell is absent. Raises `DataError` where there are no examples.
        """
        from threadpoolctl import threadpool_limits

        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if not len(labels):
            raise DataError("there are no examples; add some for each intent and train again")
        if vectors.ndim != 2 or len(vectors) != len(labels):
            raise DataError(f"{len(labels)} labels and vectors of {vectors.shape} do not fit")
        if not np.isfinite(vectors).all():
            raise DataError("a vector holds something that is no finite number")
        names, classes = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
        report = progress or _silent
        # Many small products are several times slower when they are spread over threads.
        with threadpool_limits(1):
            calibration = tuning.calibrate(
                vectors,
                classes,
                background,
                count=len(names),
                seed=seed,
                progress=lambda p, m: report(0.9 * p, m),
            )
            head = Head.fit(
                vectors,
                classes,
                count=len(names),
                gamma=calibration.gamma,
                c=calibration.c,
                seed=seed,
            )
            familiarity = Familiarity.fit(vectors, classes, background)
        report(1.0, f"fitted {len(names)} intents on {len(labels)} examples")
        return cls([str(name) for name in names], head, familiarity, calibration=calibration)

    def predict(self, vectors: Vectors) -> list[Prediction]:
        """One prediction for each row of float32[n, d]."""
        logits = self._head.logits(vectors)
        chances = softmax(logits / self._calibration.temperature)
        known = self._calibration.score(logits, self._familiarity.signs(vectors))
        best = np.argsort(-chances, axis=1, kind="stable")[:, :3]
        predictions = []
        for row, columns in enumerate(best):
            guesses = tuple(Guess(self.labels[c], float(chances[row, c])) for c in columns)
            in_scope = bool(known[row] >= self._calibration.threshold)
            predictions.append(
                Prediction(guesses[0].label, guesses[0].probability, in_scope, guesses)
            )
        return predictions

    def scores(self, vectors: Vectors) -> Vectors:
        """float32[n]: the higher, the more surely in scope."""
        return self._calibration.score(self._head.logits(vectors), self._familiarity.signs(vectors))

    def save(self, folder: Path) -> None:
        tensors = {f"head.{name}": t for name, t in self._head.tensors.items()}
        tensors |= self._familiarity.tensors
        meta = {"labels": self.labels, "calibration": self._calibration.to_json()}
        artifact.save(folder, kind=KIND, tensors=tensors, meta=meta)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `ArtifactError` where there is no whole intent model."""
        tensors, meta = artifact.load(folder, kind=KIND)
        calibration = tuning.Calibration.from_json(meta["calibration"])
        parts = {n.removeprefix("head."): t for n, t in tensors.items() if n.startswith("head.")}
        head = Head(parts, gamma=calibration.gamma)
        return cls(meta["labels"], head, Familiarity.restore(tensors), calibration=calibration)


def _silent(share: float, message: str) -> None:
    """Progress that nobody asked for."""
