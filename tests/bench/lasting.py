"""Five rounds of new intents, each learned with a replay of the old, and what becomes of these.

A round learns from the shared encoder on, so that what comes after some rounds is the same whether or
not the models between were trained: only those that are asked for are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml import continual, metrics
from ml.finetune import Config
from ml.types import Example
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench

FIRST, ROUNDS, NEW = 52, 5, 5  # intents at the start, rounds, new intents a round


@dataclass(frozen=True)
class Forgetting:
    """`curve` is the accuracy on the first intents' test texts, among all intents known by then,

    after so many rounds. `apart` is that of the last model where only the first may be chosen: what
    is lost there has faded, what is lost beside it goes to the choice among more. `new` is how it
    does on the test texts of all intents that came later.
    """

    curve: dict[int, float]
    apart: float
    new: float

    @property
    def lost(self) -> float:
        return self.curve[0] - self.curve[ROUNDS]


def measure(bench: Bench, given: IntentSet, looks: tuple[int, ...], **changes: Any) -> Forgetting:
    """Intents come in the order of their names; settings are the product's, but for `changes`.

    `looks` are the rounds that are measured, none and the last among them.
    """
    names = sorted({example.label for example in given.train})
    rounds = {name: max(0, (n - FIRST) // NEW + 1) for n, name in enumerate(names)}
    first = [example for example in given.test if not rounds[example.label]]
    later = [example for example in given.test if 0 < rounds[example.label] <= ROUNDS]
    known: list[Example] = []
    curve, apart, new = {}, 0.0, 0.0
    for round_ in range(ROUNDS + 1):
        fresh = [example for example in given.train if rounds[example.label] == round_]
        if round_ in looks:
            exam = _Exam(bench, continual.replay(known, fresh), rounds, changes)
            curve[round_], apart = exam.accuracy(first), exam.accuracy(first, among=first)
            new = exam.accuracy(later) if round_ == ROUNDS else new
            print(f"  round {round_}: {curve[round_]:.4f} on the first intents", flush=True)
        known = [*known, *fresh]
    return Forgetting(curve, apart, new)


class _Exam:
    """A model of what is known in some round, and how it does."""

    def __init__(
        self, bench: Bench, train: list[Example], rounds: dict[str, int], changes: dict[str, Any]
    ) -> None:
        config = Config.suited(len(train), **changes)
        self._bench = bench
        self._model = bench.tuned(IntentSet(train, [], [], []), config, rounds=rounds)

    def accuracy(self, test: list[Example], *, among: list[Example] | None = None) -> float:
        """Where any intent may be chosen, or only those of some examples."""
        model, texts = self._model, [example.text for example in test]
        chances = model.chances(self._bench.encode(model, texts), texts)
        allowed = {example.label for example in among} if among else set(model.labels)
        columns = [column for column, name in enumerate(model.labels) if name in allowed]
        chosen = chances[:, columns].argmax(axis=1)
        return metrics.accuracy(
            [example.label for example in test], [model.labels[columns[place]] for place in chosen]
        )
