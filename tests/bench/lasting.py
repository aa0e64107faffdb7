"""Five rounds of new intents, each learned with a replay of the old, and what becomes of these."""

from __future__ import annotations

from dataclasses import dataclass

from ml import continual
from ml.finetune import Config
from ml.types import Example
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench

FIRST, ROUNDS, NEW = 52, 5, 5  # intents at the start, rounds, new intents a round


@dataclass(frozen=True)
class Forgetting:
    """`curve` is the accuracy on the first intents' test texts, among all intents known by then."""

    curve: list[float]

    @property
    def lost(self) -> float:
        return self.curve[0] - self.curve[-1]


def measure(bench: Bench, given: IntentSet, *, config: Config) -> Forgetting:
    """Intents come in the order of their names."""
    names = sorted({example.label for example in given.train})
    first = set(names[:FIRST])
    test = [example for example in given.test if example.label in first]
    known = [example for example in given.train if example.label in first]
    curve = [_accuracy(bench, known, test, config)]
    for round_ in range(ROUNDS):
        start = FIRST + round_ * NEW
        fresh = set(names[start : start + NEW])
        new = [example for example in given.train if example.label in fresh]
        taught = continual.replay(known, new, seed=config.seed)
        curve.append(_accuracy(bench, taught, test, config))
        known = [*known, *new]
        print(f"  round {round_ + 1}: {curve[-1]:.4f} on the first intents", flush=True)
    return Forgetting(curve)


def _accuracy(bench: Bench, train: list[Example], test: list[Example], config: Config) -> float:
    return bench.accuracy(bench.tuned(IntentSet(train, test, [], []), config), test)
