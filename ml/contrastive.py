"""Pairs of examples of one intent are drawn together, those of others pushed apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

    from ml.classifier import Classifier
    from ml.course import Batch, Lesson

TEMPERATURE = 0.1
WEIGHT = 0.5


class Pairs:
    """Supervised contrast (Khosla et al. 2020, arXiv:2004.11362) with one partner for each text.

    With many intents and few examples hardly two texts of a batch share an intent; so each gets a
    partner of its own intent from the lesson, itself where it is the only one (then dropout alone
    tells the two apart, as in SimCSE).
    """

    def __init__(self, lesson: Lesson, *, seed: int) -> None:
        self._lesson = lesson
        self._seed = seed
        self._rows = {c: np.flatnonzero(lesson.classes == c) for c in set(lesson.classes.tolist())}

    def __call__(self, classifier: Classifier, batch: Batch) -> torch.Tensor:
        import torch

        classes = batch.classes
        rng = np.random.default_rng([self._seed, batch.step])  # the same after a resumed training
        partners = [rng.choice(self._rows[c]) for c in classes.tolist()]
        trainee = classifier.trainee
        others = trainee.embed(*trainee.batch([self._lesson.tokens[row] for row in partners]))
        similar = batch.vectors @ others.T / TEMPERATURE
        same = classes[:, None] == classes[None, :]
        likely = torch.log_softmax(similar, dim=1)
        return -WEIGHT * ((likely * same).sum(1) / same.sum(1)).mean()
