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
        right: list[list[int]],
        hard: list[list[int]],
        *,
        seed: int,
    ) -> None:
        self._questions, self._passages = questions, passages
        self._right, self._hard = right, hard
        self._seed = seed

    @classmethod
    def mine(cls, trainee: Trainee, pairs: Sequence[tuple[str, str]], *, seed: int) -> Self:
        """From (question, passage) pairs; a question may have several passages."""
        places = {text: place for place, text in enumerate(dict.fromkeys(p for _, p in pairs))}
        right: dict[str, set[int]] = {}
        for question, passage in pairs:
            right.setdefault(question, set()).add(places[passage])
        questions = trainee.tokenize(list(right))
        passages = trainee.tokenize(list(places), "passage")
        near = trainee.encode_tokens(questions) @ trainee.encode_tokens(passages).T
        hard = []
        for own, row in zip(right.values(), near, strict=True):
            ranked = np.argsort(-row, kind="stable")[: HARD + len(own)].tolist()
            hard.append([place for place in ranked if place not in own][:HARD])
        return cls(questions, passages, [sorted(own) for own in right.values()], hard, seed=seed)

    def __call__(self, classifier: Classifier, batch: Batch) -> torch.Tensor:
        import torch

        rng = np.random.default_rng([self._seed, batch.step])
        rows = rng.permutation(len(self._questions))[:PAIRS].tolist()
        negatives = [int(rng.choice(self._hard[row])) for row in rows if self._hard[row]]
        own = [int(rng.choice(self._right[row])) for row in rows]
        places = list(dict.fromkeys(own + negatives))
        trainee = classifier.trainee
        questions = trainee.embed(*trainee.batch([self._questions[row] for row in rows]))
        passages = trainee.embed(*trainee.batch([self._passages[place] for place in places]))
        target = torch.tensor([places.index(place) for place in own])
        logits = SCALE * questions @ passages.T
        also = [
            [place in self._right[row] and place != mine for place in places]
            for row, mine in zip(rows, own, strict=True)
        ]
        # Another passage that answers the question is no negative of it.
        logits = logits.masked_fill(torch.tensor(also, device=logits.device), -torch.inf)
        return WEIGHT * torch.nn.functional.cross_entropy(logits, target.to(logits.device))
