"""Five rounds of new intents, each learned with a replay of the old, and what becomes of these.

A round learns from the shared encoder on, so that what comes after some rounds is the same whether or
not the models between were trained: only those that are asked for are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ml import continual
from ml.finetune import Config
from ml.types import Example
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench

FIRST, ROUNDS, NEW = 52, 5, 5  # intents at the start, rounds, new intents a round
MEASURED = (3, 5)  # rounds


@dataclass(frozen=True)
class Forgetting:
    """`curve` is the accuracy on the first intents' test texts, among all intents known by then,

    after so many rounds.
    """

    curve: dict[int, float]

    @property
    def lost(self) -> float:
        return self.curve[0] - self.curve[ROUNDS]


def measure(bench: Bench, given: IntentSet, **changes: Any) -> Forgetting:
    """Intents come in the order of their names; settings are the product's, but for `changes`."""
    names = sorted({example.label for example in given.train})
    first = set(names[:FIRST])
    test = [example for example in given.test if example.label in first]
    known = [example for example in given.train if example.label in first]
    curve = {0: _accuracy(bench, known, test, changes)}
    for round_ in range(1, ROUNDS + 1):
        start = FIRST + (round_ - 1) * NEW
        fresh = set(names[start : start + NEW])
        new = [example for example in given.train if example.label in fresh]
        if round_ in MEASURED:
            curve[round_] = _accuracy(bench, continual.replay(known, new), test, changes)
            print(f"  round {round_}: {curve[round_]:.4f} on the first intents", flush=True)
        known = [*known, *new]
    return Forgetting(curve)


def _accuracy(
    bench: Bench, train: list[Example], test: list[Example], changes: dict[str, Any]
) -> float:
    config = Config.suited(len(train), **changes)
    return bench.accuracy(bench.tuned(IntentSet(train, test, [], []), config), test)
