from pathlib import Path

import numpy as np
import pytest

from ml.errors import DataError
from ml.recommend import Recommender
from ml.recommend.linear import ease, item_knn
from ml.types import Event, Item

DAY = 86_400.0
NOW = 400 * DAY
WORLDS = {"tea": 12, "bike": 12}
ITEMS = [
    Item(f"{world}{n}", f"{world} {n}") for world, count in WORLDS.items() for n in range(count)
]
VECTORS = np.array(
    [
        [item.id.startswith("tea"), item.id.startswith("bike"), 0.2 * (n % 3)]
        for n, item in enumerate(ITEMS)
    ],
    dtype=np.float32,
)


def shop(customers: int = 60, *, seed: int = 0) -> list[Event]:
    """Half of the customers live in the world of tea, half in that of bikes; item 11 sells never."""
    random = np.random.default_rng(seed)
    return [
        Event(
            f"c{number}",
            f"{('tea', 'bike')[number % 2]}{random.integers(11)}",
            "purchase",
            1.0,
            NOW - random.uniform(0, 120) * DAY,
        )
        for number in range(customers)
        for _ in range(12)
    ]


@pytest.fixture(scope="module")
def model() -> Recommender:
    return Recommender.fit(shop(), ITEMS, VECTORS, now=NOW)


def bought(*items: str) -> list[Event]:
    return [Event("me", item, "purchase", 1.0, NOW - DAY) for item in items]


def test_it_beats_popularity_and_says_by_how_much(model: Recommender):
    assert model.metrics["ndcg10"] > 1.3 * model.metrics["popularity_ndcg10"]
    assert 0 < model.metrics["coverage"] <= 1
    assert model.metrics["held_out"] >= 20
    assert model.choice.half_life > 0


def test_taste_decides_and_has_a_reason(model: Recommender):
    picks = model.recommend(bought("tea1", "tea2"), now=NOW, k=5)
    assert len(picks) == 5
    assert all(pick.item.startswith("tea") for pick in picks)
    assert [pick.score for pick in picks] == sorted((p.score for p in picks), reverse=True)
    for pick in picks:
        assert pick.source in {"behaviour", "text", "popular"}
        assert pick.because in ({None} if pick.source == "popular" else {"tea1", "tea2"})


def test_a_purchase_of_a_moment_ago_counts_more_than_an_old_one(model: Recommender):
    history = [
        Event("me", "tea1", "purchase", 1.0, NOW - 3_000 * DAY),
        Event("me", "bike1", "purchase", 1.0, NOW),
    ]
    assert model.recommend(history, now=NOW, k=1)[0].item.startswith("bike")


def test_a_new_customer_gets_what_is_popular(model: Recommender):
    picks = model.recommend([], now=NOW, k=4)
    assert [(pick.source, pick.because) for pick in picks] == [("popular", None)] * 4
    assert [p.item for p in model.recommend(bought("unknown"), now=NOW, k=4)] == [
        p.item for p in picks
    ]


def test_filters_hold(model: Recommender):
    history = bought("tea1")
    allowed = {"bike3", "tea4", "nowhere"}
    assert {
        p.item for p in model.recommend(history, now=NOW, k=9, offer=model.offer(allowed=allowed))
    } == {
        "bike3",
        "tea4",
    }
    picks = model.recommend(history, now=NOW, k=99, exclude={"tea1"})
    assert len(picks) == len(ITEMS) - 1
    assert "tea1" not in {pick.item for pick in picks}
    assert model.recommend(history, now=NOW, k=9, offer=model.offer(allowed=set())) == []
    assert model.recommend(history, now=NOW, k=0) == []


def test_an_item_nobody_took_is_reached_by_its_text(model: Recommender):
    picks = model.recommend(bought("tea1", "tea5"), now=NOW, k=len(ITEMS))
    places = {pick.item: place for place, pick in enumerate(picks)}
    assert places["tea11"] < places["bike11"]
    cold = next(pick for pick in picks if pick.item == "tea11")
    assert (cold.source, cold.because in {"tea1", "tea5"}) == ("text", True)


def test_an_item_newer_than_the_model_is_reached_too(model: Recommender):
    extra = (["newtea", "newbike", "tea1"], VECTORS[[0, 12, 1]])
    picks = model.recommend(bought("tea1"), now=NOW, k=99, offer=model.offer(extra=extra))
    places = {pick.item: place for place, pick in enumerate(picks)}
    assert places["newtea"] < places.get("newbike", 99)
    assert picks[places["newtea"]].because == "tea1"
    assert len(model.recommend([], now=NOW, k=99, offer=model.offer(extra=extra))) == len(ITEMS) + 2


def test_a_saved_model_is_the_same_model(model: Recommender, tmp_path: Path):
    model.save(tmp_path / "model")
    loaded = Recommender.load(tmp_path / "model")
    history = bought("tea1", "bike2")
    assert loaded.recommend(history, now=NOW, k=9) == model.recommend(history, now=NOW, k=9)
    assert (loaded.choice, loaded.metrics) == (model.choice, model.metrics)


@pytest.mark.parametrize(
    "events",
    [
        [],
        bought("tea1"),
        bought("unknown"),
        [Event("me", "tea1", "view", 1.0, NOW + 99 * DAY)],
        [Event("me", "tea1", "purchase", 0.0, NOW)] * 50,
        [Event(f"c{n}", "tea1", "view", 1.0, NOW) for n in range(50)],
    ],
)
@pytest.mark.parametrize("vectors", [VECTORS, None, np.zeros_like(VECTORS)])
def test_thin_data_still_recommends(events: list[Event], vectors):
    model = Recommender.fit(events, ITEMS, vectors, now=NOW)
    assert model.metrics == {}
    for history in ([], bought("tea1"), events):
        picks = model.recommend(history, now=NOW, k=5)
        assert len(picks) == 5
        assert all(np.isfinite(pick.score) for pick in picks)


def test_the_smallest_catalogs():
    one = Recommender.fit(shop(), ITEMS[:1], VECTORS[:1], now=NOW)
    assert [p.item for p in one.recommend(bought("tea0"), now=NOW, k=5)] == ["tea0"]
    none = Recommender.fit([], [], None, now=NOW)
    assert none.recommend(bought("tea0"), now=NOW, k=5) == []


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="twice"):
        Recommender.fit([], [ITEMS[0], ITEMS[0]], None, now=NOW)
    with pytest.raises(DataError, match="do not fit"):
        Recommender.fit([], ITEMS, VECTORS[:3], now=NOW)


@pytest.mark.parametrize(
    "method", [lambda m: ease(m, regularisation=1), lambda m: item_knn(m, shrinkage=1)]
)
def test_both_methods_find_what_goes_together(method):
    from scipy.sparse import csr_matrix

    taken = csr_matrix(np.array([[1, 1, 0, 0]] * 5 + [[0, 0, 1, 1]] * 5, dtype=np.float32))
    weights = method(taken).toarray()
    assert np.diag(weights).tolist() == [0] * 4
    assert weights.argmax(axis=1).tolist() == [1, 0, 3, 2]


def test_similar_items_and_those_taken_together(model: Recommender):
    for picks in (model.similar("tea1", k=5), model.together(["tea1", "tea2"], k=5)):
        assert len(picks) == 5
        assert all(pick.item.startswith("tea") for pick in picks)
        assert {pick.because for pick in picks} <= {"tea1", "tea2"}
        assert {pick.item for pick in picks}.isdisjoint({"tea1"})
    assert {pick.source for pick in model.similar("tea1", k=5)} == {"similar"}
    # New items are like others by their text; nobody has taken them with anything.
    extra = model.offer(extra=(["newtea"], VECTORS[[0]]))
    assert model.similar("newtea", k=1, offer=extra)[0].item.startswith("tea")
    assert model.together(["newtea"], k=1, offer=extra) == []
    assert model.similar("nothing", k=3) == [] == model.together(["nothing"], k=3)
