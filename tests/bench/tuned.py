"""One encoder under measurement: models on top of it, and what a test part says about them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ml import metrics, weights
from ml.background import sentences
from ml.encoder import Encoder
from ml.finetune import Config, tune
from ml.intent import IntentModel
from ml.lesson import Paraphrase
from ml.types import Example
from tests.bench.sets import IntentSet

CACHE = Path("var/encoder")


@dataclass(frozen=True)
class Scores:
    """What a model makes of a test part. Shares, 0..1; `auroc` and `recall` are of the scope."""

    accuracy: float
    ece: float
    auroc: float | None = None
    recall: float | None = None
    accepted: float | None = None
    refused: float | None = None


class Bench:
    """An encoder by name, empty for the default."""

    def __init__(self, name: str, *, threads: int) -> None:
        self.folder = weights.locate(name, cache=CACHE)
        self.encoder = Encoder.load(self.folder, threads=threads)
        self.name = name or self.folder.name

    def instant(self, given: IntentSet) -> IntentModel:
        """The model of the first step: a head on the frozen encoder."""
        texts, labels = [e.text for e in given.train], [e.label for e in given.train]
        background = self.encoder.encode(sentences())
        return IntentModel.fit(
            self.encoder.encode(texts), labels, texts=texts, background=background
        )

    def tuned(
        self,
        given: IntentSet,
        config: Config,
        *,
        unlabelled: bool = False,
        rounds: dict[str, int] | None = None,
        paraphrase: Paraphrase | None = None,
    ) -> IntentModel:
        """The model of the second step; `unlabelled` also gives it the texts without labels."""
        return tune(
            self.encoder,
            self.folder,
            given.train,
            unlabelled=given.unlabelled if unlabelled else (),
            background=sentences(),
            paraphrase=paraphrase,
            rounds=rounds,
            config=config,
            progress=Clock(),
        )

    def score(self, model: IntentModel, given: IntentSet) -> Scores:
        """Everything about one test part from one pass over it."""
        truth = np.asarray([e.label for e in given.test], dtype=object)
        texts = [e.text for e in given.test]
        vectors = self.encode(model, texts)
        predictions = model.predict(vectors, texts)
        right = np.asarray([p.label for p in predictions], dtype=object) == truth
        confidence = np.asarray([p.confidence for p in predictions])
        plain = Scores(float(right.mean()), metrics.ece(confidence, right))
        if not given.outside:
            return plain
        outside = self.encode(model, given.outside)
        known, strange = model.scores(vectors), model.scores(outside)
        accepted = np.asarray([p.in_scope for p in predictions])
        return Scores(
            plain.accuracy,
            plain.ece,
            auroc=metrics.auroc(known, strange),
            recall=_recall(known, strange, right),
            accepted=float((right & accepted).mean()),
            refused=float(np.mean([not p.in_scope for p in model.predict(outside, given.outside)])),
        )

    def encode(self, model: IntentModel, texts: list[str]) -> Any:
        return model.read(texts, self.encoder.encode)

    def accuracy(self, model: IntentModel, examples: list[Example]) -> float:
        texts = [e.text for e in examples]
        predictions = model.predict(self.encode(model, texts), texts)
        return metrics.accuracy([e.label for e in examples], [p.label or "" for p in predictions])


def _recall(known: Any, strange: Any, right: Any, *, least: float = 0.955) -> float:
    """The share of strangers turned away at the curve's last point that is right on `least` of all.

    A text that is in scope is right when it is let in and its intent is the true one.
    """
    thresholds = np.sort(known)
    kept = np.asarray([(right & (known >= threshold)).mean() for threshold in thresholds])
    allowed = thresholds[kept >= least]
    return float((strange < allowed[-1]).mean()) if len(allowed) else 0.0


class Clock:
    """Progress of a training, a line at most every few seconds."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self, share: float, line: str) -> None:
        if time.monotonic() - self.last > 10:
            self.last = time.monotonic()
            print(f"    {share:4.0%} {line}", flush=True)
