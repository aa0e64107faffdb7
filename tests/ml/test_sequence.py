"""The sequence model: where the order of events decides, it wins, and is kept."""

from pathlib import Path

import numpy as np
import pytest

from ml.recommend import Plan, Recommender, Settings
from ml.types import Event, Item

DAY = 86_400.0
NOW = 400 * DAY
SETS = 8
ITEMS = [Item(f"{part}{n}", f"{part} of set {n}") for n in range(SETS) for part in "abcd"]
VECTORS = np.eye(len(ITEMS), dtype=np.float32)
SMALL = Settings(width=32, layers=1, dropout=0.1, epochs=25, rate=5e-3)


def events_of(customer: str, *items: str) -> list[Event]:
    """A day apart, up to now."""
    return [
        Event(customer, item, "buy", 1.0, NOW - (len(items) - place - 0.5) * DAY)
        for place, item in enumerate(items)
    ]


def courses(customers: int = 240) -> list[Event]:
    """Each customer goes through three sets: after a and b comes c, after b and a comes d."""
    random = np.random.default_rng(0)
    events = []
    for number in range(customers):
        items = []
        for set_ in random.permutation(SETS)[:3]:
            items += [f"{part}{set_}" for part in ("abc", "bad")[random.integers(2)]]
        events += events_of(f"c{number}", *items)
    return events


@pytest.fixture(scope="module")
def model() -> Recommender:
    plan = Plan(held_out_days=1.0, sequence=SMALL)
    return Recommender.fit(courses(), ITEMS, VECTORS, now=NOW, plan=plan)


def test_it_is_kept_where_it_wins_and_the_table_tells_by_how_much(model: Recommender):
    models = model.metrics["models"]
    assert models["sequence"]["mrr10"] > 1.2 * models["linear"]["mrr10"]
    assert model.metrics["ndcg10"] == models["sequence"]["ndcg10"]
    assert model.metrics["sequence"]["cpu_seconds"] > 0


@pytest.mark.parametrize(("past", "following"), [("ab", "c"), ("ba", "d")])
def test_the_order_of_a_past_decides(model: Recommender, past: str, following: str):
    items = [f"{part}3" for part in past]
    first = model.recommend(events_of("me", *items), now=NOW, k=1)[0]
    assert first.item == f"{following}3"
    assert (first.source, first.because in items) == ("behaviour", True)


def test_a_saved_one_is_the_same(model: Recommender, tmp_path: Path):
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    past = events_of("me", "a1", "b1")
    again, first = (m.recommend(past, now=NOW, k=9) for m in (loaded, model))
    assert [pick.item for pick in again] == [pick.item for pick in first]
    assert np.allclose([p.score for p in again], [p.score for p in first], atol=1e-4)


def test_where_order_says_nothing_it_is_left_out():
    random = np.random.default_rng(0)
    events = [
        Event(f"c{number}", f"a{random.integers(5)}", "buy", 1.0, NOW - random.random() * 90 * DAY)
        for number in range(60)
        for _ in range(8)
    ]
    plan = Plan(sequence=Settings(width=16, layers=1, epochs=2))
    model = Recommender.fit(events, ITEMS, VECTORS, now=NOW, plan=plan)
    assert model.metrics["ndcg10"] == model.metrics["models"]["linear"]["ndcg10"]
