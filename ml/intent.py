"""The intent model, instant or tuned: honest about what it does not know."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import artifact, evidence, report, tuning
from ml.adapters import Adapter
from ml.calibration import ANY, Aim, Calibration, missed
from ml.errors import DataError, ModelError
from ml.familiarity import Familiarity
from ml.head import Head, Rows, softmax
from ml.spelling import Spelling
from ml.types import Guess, Prediction, Progress, Tensors, Vectors

KIND = "intent"
ASKED = 256


class IntentModel:
    """A classifier on sentence vectors, with calibrated confidence and scope.

    The instant one (`fit`) is live seconds after an import: a kernel classifier on the frozen
    encoder's vectors. A tuned one (`ml.finetune`) has an `adapter`, and wants vectors of that, with
    those of the encoder as it is beside them where that makes its answers better: `read` gives what
    it wants. Where the `spelling` of texts says more than their vectors do, its margins are added.

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
        calibration: Calibration,
        report: dict[str, Any],
        adapter: Adapter | None = None,
        spelling: Spelling | None = None,
        asked: Vectors | None = None,
    ) -> None:
        self.labels = labels
        self.metrics = calibration.metrics
        self.report = report
        self.adapter = adapter
        self.head = head
        self.spelling = spelling
        self.asked = np.zeros((0, 0), np.float32) if asked is None else asked
        self._familiarity = familiarity
        self.calibration = calibration

    @classmethod
    def fit(
        cls,
        vectors: Vectors,
        labels: Sequence[str],
        *,
        texts: Sequence[str] = (),
        background: Vectors | None = None,
        aim: Aim = ANY,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Self:
        """From float32[n, d], the encoder's vectors of kind "query", and a label for each.

        `texts` are what the vectors are of; without them nothing is learned of how they are spelled.
        `background` is float32[m, d] of sentences about other things (`ml.background`), by which
        small talk is told from what a tenant's customers ask. `aim` is what the threshold keeps to.

        Kernel and regularisation are chosen on held-out examples, then the model is fitted on all.
        `metrics` holds what the held-out ones say: accuracy, macro_f1, ece, and for whole intents
        held out as if unknown oos_auroc, oos_recall and in_scope_recall. A figure that these data
        cannot tell is absent. Raises `DataError` where there are no examples.
        """
        from threadpoolctl import threadpool_limits

        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        _check(vectors, labels, texts)
        names, classes = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
        say = progress or _silent
        start, start_cpu = time.perf_counter(), time.process_time()
        # Many small products are several times slower when they are spread over threads.
        with threadpool_limits(1):
            calibration, found = tuning.calibrate(
                vectors,
                classes,
                background,
                texts,
                count=len(names),
                seed=seed,
                aim=aim,
                progress=lambda p, m: say(0.9 * p, m),
            )
            head, spelling = _learned(
                vectors, texts, classes, calibration, count=len(names), seed=seed
            )
            familiarity = Familiarity.fit(vectors, classes, background)
        intents = [str(name) for name in names]
        cost = report.Cost(time.perf_counter() - start, time.process_time() - start_cpu)
        told = evidence.report(found, intents, step="instant", examples=len(labels), cost=cost)
        say(1.0, f"fitted {len(names)} intents on {len(labels)} examples")
        told = replace(told, notes=(*told.notes, *missed(calibration, aim)))
        return cls(
            intents,
            head,
            familiarity,
            calibration=calibration,
            report=told.to_json(),
            spelling=spelling,
            asked=some(vectors),
        )

    def twin(self, vectors: Vectors, labels: Sequence[str], texts: Sequence[str]) -> Self:
        """The same kernel and calibration with a head of other examples of the same intents.

        Quick, since nothing is chosen anew: by it this model is measured on examples it was fitted on.
        """
        classes = np.asarray([self.labels.index(label) for label in labels], dtype=np.intp)
        head, spelling = _learned(
            np.ascontiguousarray(vectors, dtype=np.float32),
            texts,
            classes,
            self.calibration,
            count=len(self.labels),
            seed=0,
        )
        return type(self)(
            self.labels,
            head,
            self._familiarity,
            calibration=self.calibration,
            report=self.report,
            spelling=spelling,
            asked=self.asked,
        )

    @property
    def adapters(self) -> tuple[Adapter | None, ...]:
        """With which a text is encoded for this model; None is the encoder as it is."""
        return (self.adapter, None) if self.head.reads_both else (self.adapter,)

    def read(self, texts: Sequence[str], encode: Callable[..., Vectors]) -> Vectors:
        """The texts' vectors with each of the `adapters` side by side, float32[n, d or 2 d].

        `encode` is `Encoder.encode`, or what takes its `kind` and `adapter`.
        """
        return np.hstack([encode(texts, kind="query", adapter=one) for one in self.adapters])

    def own(self, vectors: Vectors) -> Vectors:
        """Of what `read` gives the part by which texts are alike, float32[n, d], unit vectors."""
        return vectors[:, : vectors.shape[1] // len(self.adapters)]

    def predict(self, vectors: Vectors, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each row of what `read` gives and the text that it is of."""
        logits = self.head.logits(vectors)
        chances = self._confidence(logits, texts)
        known = self.calibration.score(logits, self._familiarity.signs(self.own(vectors)))
        best = np.argsort(-chances, axis=1, kind="stable")[:, :3]
        predictions = []
        for row, columns in enumerate(best):
            guesses = tuple(Guess(self.labels[c], float(chances[row, c])) for c in columns)
            above = float(known[row] - self.calibration.threshold)
            predictions.append(
                Prediction(guesses[0].label, guesses[0].probability, above >= 0, guesses, above)
            )
        return predictions

    def chances(self, vectors: Vectors, texts: Sequence[str]) -> NDArray[np.float64]:
        """float64[n, labels], calibrated."""
        return self._confidence(self.head.logits(vectors), texts)

    def _confidence(self, logits: Vectors, texts: Sequence[str]) -> NDArray[np.float64]:
        if self.spelling is not None:
            logits = logits + self.spelling.margins(texts)
        return softmax(logits / self.calibration.temperature)

    def space(self, encoder: str) -> str:
        """In which vectors this model reads, given the fingerprint of the encoder that serves.

        Raises `ModelError` where it was tuned on another encoder.
        """
        if self.adapter is None:
            return encoder
        if self.adapter.encoder != encoder:
            raise ModelError(
                f"the model was tuned on the encoder {self.adapter.encoder}, this one is {encoder}; "
                "tune it again"
            )
        return self.adapter.space

    def scores(self, vectors: Vectors) -> Vectors:
        """float32[n]: the higher, the more surely in scope."""
        signs = self._familiarity.signs(self.own(vectors))
        return self.calibration.score(self.head.logits(vectors), signs)

    def save(self, folder: Path) -> None:
        tensors = {f"head.{name}": t for name, t in self.head.tensors.items()}
        tensors |= self._familiarity.tensors | {"asked": self.asked.astype(np.float16)}
        meta = {"labels": self.labels, "calibration": self.calibration.to_json()}
        meta["report"] = self.report
        if self.spelling is not None:
            tensors |= {f"spelling.{name}": t for name, t in self.spelling.tensors.items()}
        if self.adapter is not None:
            meta["encoder"] = self.adapter.encoder
            tensors |= {f"adapter.{name}": t for name, t in self.adapter.tensors.items()}
        artifact.save(folder, kind=KIND, tensors=tensors, meta=meta)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `ArtifactError` where there is no whole intent model."""
        tensors, meta = artifact.load(folder, kind=KIND)
        calibration = Calibration.from_json(meta["calibration"])
        head = Head(_part(tensors, "head."), gamma=calibration.gamma)
        learned, spelled = _part(tensors, "adapter."), _part(tensors, "spelling.")
        return cls(
            meta["labels"],
            head,
            Familiarity.restore(tensors),
            calibration=calibration,
            report=meta.get("report", {}),
            adapter=Adapter(encoder=meta["encoder"], tensors=learned) if learned else None,
            spelling=Spelling(spelled) if spelled else None,
            asked=tensors["asked"].astype(np.float32) if "asked" in tensors else None,
        )


def read_report(folder: Path) -> dict[str, Any]:
    """The report (`ml.report`) of a saved model, without its tensors; empty in one of before reports.

    Raises `ArtifactError` where there is no whole intent model.
    """
    return dict(json.loads(artifact.read(folder, artifact.META, kind=KIND)).get("report", {}))


def some(vectors: Vectors) -> Vectors:
    """Up to 256 of float32[n, d], from all over them: examples often stand by their intents."""
    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), ASKED))
    return vectors[rows.astype(np.intp)]


def _learned(
    vectors: Vectors,
    texts: Sequence[str],
    classes: Rows,
    chosen: Calibration,
    *,
    count: int,
    seed: int,
) -> tuple[Head, Spelling | None]:
    """What vectors and spelling say of the classes, with the kernel and the share that were chosen."""
    head = Head.fit(vectors, classes, count=count, gamma=chosen.gamma, c=chosen.c, seed=seed)
    return head, Spelling.counting(chosen.spelling, texts, classes, count=count)


def _check(vectors: Vectors, labels: Sequence[str], texts: Sequence[str]) -> None:
    """Raises `DataError` where these are not examples."""
    if not len(labels):
        raise DataError("there are no examples; add some for each intent and train again")
    if vectors.ndim != 2 or len(vectors) != len(labels):
        raise DataError(f"{len(labels)} labels and vectors of {vectors.shape} do not fit")
    if texts and len(texts) != len(labels):
        raise DataError(f"{len(labels)} labels and {len(texts)} texts do not fit")
    if not np.isfinite(vectors).all():
        raise DataError("a vector holds something that is no finite number")


def _part(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _silent(share: float, message: str) -> None:
    """Progress that nobody asked for."""
