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
MEASURED = (3, 5)  # rounds


@dataclass(frozen=True)
class Forgetting:
    """`curve` is the accuracy on the first intents' test texts, among all intents known by then,

    after so many rounds. `apart` is that of the last model where only the first may be chosen: what
    is lost there has faded, what is lost beside it goes to the choice among more.
    """

    curve: dict[int, float]
    apart: float

    @property
    def lost(self) -> float:
        return self.curve[0] - self.curve[ROUNDS]


def measure(bench: Bench, given: IntentSet, **changes: Any) -> Forgetting:
    """Intents come in the order of their names; settings are the product's, but for `changes`."""
    names = sorted({example.label for example in given.train})
    first = set(names[:FIRST])
    test = [example for example in given.test if example.label in first]
    known = [example for example in given.train if example.label in first]
    curve = {0: _exam(bench, known, test, changes)[0]}
    apart = 0.0
    for round_ in range(1, ROUNDS + 1):
        start = FIRST + (round_ - 1) * NEW
        fresh = set(names[start : start + NEW])
        new = [example for example in given.train if example.label in fresh]
        if round_ in MEASURED:
            train = continual.replay(known, new)
            curve[round_], apart = _exam(bench, train, test, changes)
            print(f"  round {round_}: {curve[round_]:.4f} on the first intents", flush=True)
        known = [*known, *new]
    return Forgetting(curve, apart)


def _exam(
    bench: Bench, train: list[Example], test: list[Example], changes: dict[str, Any]
) -> tuple[float, float]:
    """Accuracy among all that is taught, and among the test's intents only."""
    model = bench.tuned(IntentSet(train, test, [], []), Config.suited(len(train), **changes))
    texts, labels = [example.text for example in test], [example.label for example in test]
    chances = model.chances(bench.encode(model, texts), texts)
    first = [number for number, label in enumerate(model.labels) if label in set(labels)]

    def right(allowed: list[int]) -> float:
        chosen = chances[:, allowed].argmax(axis=1)
        return metrics.accuracy(labels, [model.labels[allowed[place]] for place in chosen])

    return right(list(range(len(model.labels)))), right(first)
