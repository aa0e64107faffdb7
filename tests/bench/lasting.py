"""Five rounds of new intents, each learned from the model before it, and what becomes of the old."""

from __future__ import annotations

from dataclasses import dataclass

from ml import continual
from ml.background import sentences
from ml.finetune import Config, tune
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench, Clock

FIRST, ROUNDS, NEW = 52, 5, 5  # intents at the start, rounds, new intents a round


@dataclass(frozen=True)
class Forgetting:
    """`curve` is the accuracy on the first intents' test texts, among all intents known by then."""

    curve: list[float]

    @property
    def lost(self) -> float:
        return self.curve[0] - self.curve[-1]


def measure(bench: Bench, given: IntentSet, *, config: Config) -> Forgetting:
    """Intents come in the order of their names; every round replays a part of what is old."""
    names = sorted({example.label for example in given.train})
    first = set(names[:FIRST])
    test = [example for example in given.test if example.label in first]
    known = [example for example in given.train if example.label in first]
    model = bench.tuned(IntentSet(known, test, [], []), config)
    curve = [bench.accuracy(model, test)]
    for round_ in range(ROUNDS):
        start = FIRST + round_ * NEW
        fresh = set(names[start : start + NEW])
        new = [example for example in given.train if example.label in fresh]
        taught = continual.replay(known, new, seed=config.seed)
        model = tune(
            bench.encoder,
            bench.folder,
            taught,
            start=model.adapter,
            background=sentences(),
            config=config,
            progress=Clock(),
        )
        known = [*known, *new]
        curve.append(bench.accuracy(model, test))
        print(f"  round {round_ + 1}: {curve[-1]:.4f} on the first intents", flush=True)
    return Forgetting(curve)
