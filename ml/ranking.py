"""The loss that keeps vectors good for passage search, with the negatives that are hard to tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from ml.classifier import Classifier
from ml.course import Batch
from ml.lora import Trainee

if TYPE_CHECKING:
    import torch

PAIRS = 8  # of a step: passages are long, and the intents are what a run is for
HARD = 4  # negatives kept of each question
SCALE = 20.0
WEIGHT = 0.3


class Ranking:
    """Multiple negatives ranking (Henderson et al. 2017, arXiv:1705.00652) beside the intents' loss.

    The negatives of a question are the other questions' passages of the step and one of those that
    the frozen encoder takes for its own though they are not (Karpukhin et al. 2020,
    arXiv:2004.04906).
    """

    def __init__(
        self,
        questions: list[list[int]],
        passages: list[list[int]],
        own: list[int],
        hard: list[list[int]],
        *,
        seed: int,
    ) -> None:
        self._questions, self._passages, self._own, self._hard = questions, passages, own, hard
        self._seed = seed

    @classmethod
    def mine(cls, trainee: Trainee, pairs: Sequence[tuple[str, str]], *, seed: int) -> Self:
        """From (question, passage) pairs; a question may have several passages."""
        places = {text: place for place, text in enumerate(dict.fromkeys(p for _, p in pairs))}
        own = [places[passage] for _, passage in pairs]
        right: dict[str, set[int]] = {}
        for (question, _), place in zip(pairs, own, strict=True):
            right.setdefault(question, set()).add(place)
        questions = trainee.tokenize([question for question, _ in pairs])
        passages = trainee.tokenize(list(places), "passage")
        near = trainee.encode_tokens(questions) @ trainee.encode_tokens(passages).T
        hard = []
        for (question, _), row in zip(pairs, near, strict=True):
            ranked = np.argsort(-row, kind="stable")[: HARD + len(right[question])].tolist()
            hard.append([place for place in ranked if place not in right[question]][:HARD])
        return cls(questions, passages, own, hard, seed=seed)

    def __call__(self, classifier: Classifier, batch: Batch) -> torch.Tensor:
        import torch

        rng = np.random.default_rng([self._seed, batch.step])
        rows = rng.permutation(len(self._questions))[:PAIRS].tolist()
        negatives = [int(rng.choice(self._hard[row])) for row in rows if self._hard[row]]
        places = list(dict.fromkeys([self._own[row] for row in rows] + negatives))
        trainee = classifier.trainee
        questions = trainee.embed(*trainee.batch([self._questions[row] for row in rows]))
        passages = trainee.embed(*trainee.batch([self._passages[place] for place in places]))
        target = torch.tensor([places.index(self._own[row]) for row in rows])
        logits = SCALE * questions @ passages.T
        return WEIGHT * torch.nn.functional.cross_entropy(logits, target.to(logits.device))
