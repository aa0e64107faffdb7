"""The stop rule keeps its promise, and the intervals theirs: seeded simulations."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray

from saas.recommend import statistics
from saas.recommend.statistics import Sums

LOOK_EVERY = 100
Draw = Callable[[int], NDArray[np.float64]]


def sums(values: NDArray[np.float64]) -> list[Sums]:
    """What has come in at every look."""
    looks = slice(LOOK_EVERY - 1, None, LOOK_EVERY)
    columns = (np.ones_like(values), values > 0, values, values**2)
    rows = zip(*(np.cumsum(column)[looks] for column in columns), strict=True)
    return [Sums(int(n), int(hits), float(total), float(sq)) for n, hits, total, sq in rows]


def stopped(control: Draw, other: Draw, *, customers: int, runs: int) -> list[int]:
    """+1 for every run that stops for `other`, -1 for the control, 0 for one that never stops."""
    found = []
    for _ in range(runs):
        pairs = zip(sums(control(customers)), sums(other(customers)), strict=True)
        looks = [statistics.difference(*pair) for pair in pairs]
        first = statistics.first_decided(looks)
        decided = None if first is None else looks[first]
        found.append(0 if decided is None else 1 if decided.low > 0 else -1)
    return found


@pytest.fixture
def shares() -> Callable[[float], Draw]:
    random = np.random.default_rng(1)
    return lambda of: lambda n: (random.random(n) < of).astype(float)


@pytest.fixture
def baskets() -> Callable[[float], Draw]:
    """Few customers buy, and some of them much."""
    random = np.random.default_rng(2)
    return lambda of: lambda n: (random.random(n) < of) * random.lognormal(3, 1.5, n)


@pytest.mark.parametrize("kind", ["shares", "baskets"])
def test_without_a_difference_looking_all_the_time_stops_wrongly_within_alpha(
    kind, request
) -> None:
    draw = request.getfixturevalue(kind)

    stops = stopped(draw(0.1), draw(0.1), customers=8_000, runs=400)

    assert np.mean(np.abs(stops)) <= statistics.ALPHA


def test_looking_all_the_time_at_plain_intervals_would_not_do(shares) -> None:
    """Else the test above would prove nothing."""
    wrong = 0
    for _ in range(100):
        pairs = zip(sums(shares(0.1)(8_000)), sums(shares(0.1)(8_000)), strict=True)
        wrong += any(
            abs(b.mean - a.mean) > statistics.Z * ((a.variance + b.variance) / a.count) ** 0.5
            for a, b in pairs
        )
    assert wrong > 20


def test_a_true_lift_is_found_and_its_direction_is_right(shares, baskets) -> None:
    better = stopped(shares(0.10), shares(0.13), customers=10_000, runs=40)
    worse = stopped(shares(0.10), shares(0.07), customers=10_000, runs=40)
    richer = stopped(baskets(0.10), baskets(0.20), customers=10_000, runs=40)

    assert np.mean(better) > 0.9
    assert np.mean(worse) < -0.9
    assert np.mean(richer) > 0.9


def test_the_sample_that_is_said_to_be_needed_is_enough(shares) -> None:
    needed = statistics.needed(Sums(1000, 100, 100, 100), Sums(1000, 130, 130, 130))
    assert needed is not None

    stops = stopped(shares(0.10), shares(0.13), customers=needed, runs=60)

    assert np.mean(stops) > 0.75
    assert 1_000 < needed < 10_000
    assert statistics.needed(Sums(1000, 100, 100, 100), Sums(1000, 100, 100, 100)) is None
    assert (
        statistics.needed(Sums(10_000, 1_000, 1_000, 1_000), Sums(10_000, 1_001, 1_001, 1_001))
        is None
    )


def test_too_few_customers_or_hits_decide_nothing() -> None:
    assert statistics.difference(Sums(99, 0, 0, 0), Sums(99, 99, 99, 99)) is None
    assert statistics.difference(Sums(9_000, 0, 0, 0), Sums(9_000, 39, 39, 39)) is None
    assert statistics.difference(Sums(), Sums()) is None
    silent = statistics.difference(Sums(200, 0, 0, 0), Sums(200, 200, 200, 200))
    assert silent is not None
    assert silent.low > 0


@pytest.mark.parametrize("count", [1, 20, 400])
@pytest.mark.parametrize("true", [0.02, 0.3, 0.95])
def test_a_shares_interval_holds_nearly_as_often_as_it_says(count: int, true: float) -> None:
    chances = [
        comb(count, hits) * true**hits * (1 - true) ** (count - hits) for hits in range(count + 1)
    ]
    intervals = [statistics.share(hits, count) for hits in range(count + 1)]

    held = sum(
        chance
        for chance, found in zip(chances, intervals, strict=True)
        if found.low <= true <= found.high
    )

    assert held > 0.83  # Wilson's is the least off of the simple ones; 95 % on average
    assert all(0 <= found.low <= found.estimate <= found.high <= 1 for found in intervals)


def test_of_nothing_nothing_is_said() -> None:
    assert statistics.share(0, 0) is None
    assert statistics.mean(Sums(1, 1, 5.0, 25.0)) is None
    assert statistics.needed(Sums(), Sums()) is None
    assert statistics.mismatch([0, 0], [0.5, 0.5]) == 1.0


def test_arms_that_are_not_of_their_shares_are_noticed() -> None:
    assert statistics.mismatch([5_000, 5_060], [0.5, 0.5]) > 0.1
    assert statistics.mismatch([5_000, 5_600], [0.5, 0.5]) < 1e-6
    assert statistics.mismatch([900, 100, 9_000], [0.09, 0.01, 0.9]) == pytest.approx(1.0)
