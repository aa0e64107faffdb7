"""POST /v1/recommendations: what may be asked for, and what comes where it cannot be had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.recommend.models import Item
from saas.training import store
from tests.recommend.conftest import GOODS

ALL = {id_ for id_, *_ in GOODS}


def answer(business: Any, **body: Any) -> dict[str, Any]:
    given = business.call.post("recommendations", body)
    assert given.status_code == 200, given.content
    found: dict[str, Any] = given.json()
    return found


def ids(business: Any, **body: Any) -> list[str]:
    return [pick["item"] for pick in answer(business, **body)["items"]]


def refused(business: Any, **body: Any) -> str:
    given = business.call.post("recommendations", body)
    assert given.status_code == 400, given.content
    detail: str = given.json()["detail"]
    return detail


def do(business: Any, *deeds: tuple[str, str], kind: str = "view", days: float = 0.0) -> None:
    at = str(timezone.now() - timedelta(days=days))
    rows = [{"customer": who, "item": item, "kind": kind, "at": at} for who, item in deeds]
    assert business.call.post("events", rows).json()["created"] == len(rows)


@pytest.mark.parametrize(
    ("filter", "fits"),
    [
        ("price < 100", {"run-red", "sock", "sock-2"}),
        ('price < 100 and "sale" in tags', {"run-red", "sock"}),
        ('brand == "Puma" or category in ["socks", "outdoor"]', ALL - {"run-pro"}),
        ('brand != "Puma"', {"run-pro", "sock", "bottle"}),
        ('attributes.colour == "red"', {"run-red", "run-pro"}),
        ('attributes["colour"] != "red"', {"run-blue", "sock", "sock-2"}),
        ("not (price < 100)", {"run-blue", "run-pro", "bottle"}),
        ('"RED" in title and 100 < price < 500', {"run-pro"}),
        ('created_at >= "2020-01-01" and id not in ["sock"]', ALL - {"sock"}),
    ],
)
def test_a_filter_is_a_hard_wish(sports, filter: str, fits: set[str]) -> None:
    assert set(ids(sports, filter=filter)) == fits


def test_a_filter_follows_the_catalog(sports) -> None:
    assert "sock" in ids(sports, filter="price < 20")
    sports.call.post("items", [{"id": "sock", "title": "Wool socks", "price": "25"}])
    assert "sock" not in ids(sports, filter="price < 20")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"filter": '__import__("os").system("x")'}, "filter: At character 1: a call cannot"),
        ({"filter": "1; DROP TABLE recommend_item"}, "filter: At character 2: invalid syntax"),
        ({"filter": "colour == 1"}, 'there is no field "colour". There are available_from, '),
        ({"boosts": [{"filter": "price", "weight": 2}]}, "boosts.0.filter: At character 1"),
        ({"limit": 0}, "limit: Input should be greater than or equal to 1. Got 0."),
        ({"limit": 10_000}, "limit: Input should be less than or equal to 100. Got 10000."),
        ({"kind": "similar"}, "similar needs item"),
        ({"kind": "together", "limit": 3}, "together needs items or item"),
        ({"kind": "search", "window": "day", "query": "x"}, "window belongs to trending"),
        ({"kind": "rerank", "items": ["a"], "limit": 3}, "leave out limit"),
    ],
)
def test_what_cannot_be_asked_for_is_said(shop, body: dict[str, Any], says: str) -> None:
    assert says in refused(shop, **body)


def test_what_was_shown_instead_is_named(sports) -> None:
    do(sports, ("C1", "sock"), ("C2", "sock"), ("C1", "bottle"))
    few, more = answer(sports, limit=2), answer(sports, limit=3)

    assert [pick["item"] for pick in few["items"]] == ["sock", "bottle"]
    assert (few["fallback"], more["fallback"]) == ("popular", "newest")
    nothing = answer(sports, filter="price > 1000")
    assert (nothing["items"], nothing["fallback"]) == ([], "nothing_fits")
    within = answer(sports, filter='category == "outdoor"', limit=1)
    assert (within["items"][0]["item"], within["fallback"]) == ("bottle", "popular")


def test_an_item_is_shown_with_all_a_page_needs(sports) -> None:
    do(sports, ("C1", "run-red"))
    first, second = answer(sports, limit=2, language="zh")["items"]

    assert first | {"score": 0} == {
        **{"item": "run-red", "position": 1, "title": "红色跑鞋", "brand": "Puma"},
        **{"category": "shoes", "price": "89.0000", "currency": "", "url": "", "image": ""},
        **{"score": 0, "reason": {"source": "popular", "because": None, "text": "近期热门"}},
    }
    assert (second["position"], second["reason"]["text"]) == (2, "新品")


def test_similar_items_are_found_by_text_before_any_training(sports) -> None:
    found = answer(sports, kind="similar", item="run-red", limit=2)

    assert {pick["item"] for pick in found["items"]} == {"run-blue", "run-pro"}
    assert found["items"][0]["reason"]["text"] == "Similar to “Red running shoes”"
    assert found["fallback"] is None
    assert "run-blue" not in ids(sports, kind="similar", item="run-red", exclude=["run-blue"])


def test_of_an_unknown_item_what_is_popular_comes_and_it_is_named(sports) -> None:
    do(sports, ("C1", "sock"))
    found = answer(sports, kind="similar", item="gone", limit=1)

    assert (found["unknown"], found["fallback"]) == (["gone"], "popular")
    assert found["items"][0]["item"] == "sock"


def test_a_shop_of_one_item_has_nothing_like_it(shop) -> None:
    shop.call.post("items", [{"id": "only", "title": "1"}])

    alone = answer(shop, kind="similar", item="only")
    assert (alone["items"], alone["fallback"]) == ([], "nothing_fits")
    for body in ({}, {"kind": "trending"}, {"kind": "search", "query": "hat"}, {"customer": "me"}):
        found = answer(shop, **body)
        assert ([pick["item"] for pick in found["items"]], found["fallback"]) == (
            ["only"],
            "newest",
        )


def test_with_an_item_goes_first_what_is_popular_in_its_category(sports) -> None:
    do(sports, *((f"C{n}", "bottle") for n in range(3)), ("C1", "run-blue"))
    found = answer(sports, kind="together", items=["run-red", "nothing"], limit=2)

    assert [pick["item"] for pick in found["items"]] == ["run-blue", "bottle"]
    assert (found["unknown"], found["fallback"]) == (["nothing"], "popular")


def test_a_model_knows_what_is_similar_and_what_goes_together(sports, worked_off) -> None:
    pairs = [("run-red", "sock"), ("run-blue", "sock-2"), ("run-pro", "bottle")]
    for days in range(1, 9):
        deeds = [(f"C{n}-{days}", item) for n, pair in enumerate(pairs * 12) for item in pair]
        do(sports, *deeds, kind="buy", days=days)
    with worked_off():
        run = sports.call.post("training/runs", {"kind": "recommend"}).json()
    assert sports.call.get(f"training/runs/{run['id']}").json()["state"] == "succeeded"

    together = answer(sports, kind="together", item="run-red", limit=1)["items"][0]
    assert (together["item"], together["reason"]["source"]) == ("sock", "together")
    assert together["reason"]["text"] == "Bought together with “Red running shoes”"
    assert len(ids(sports, kind="similar", item="run-red", limit=3)) == 3

    sports.call.post("events", [{"session": "s1", "item": "run-red", "kind": "cart"}])
    mine = answer(sports, session="s1", again=False)["items"]
    assert mine[0]["item"] == "sock"
    assert "Because you put “Red running shoes” in your cart" in [
        pick["reason"]["text"] for pick in mine
    ]
    assert answer(sports, session="s1", limit=1)["fallback"] is None
    assert answer(sports, session="s2", limit=1)["fallback"] == "popular"
    sports.call.post("customers/me/merge", {"anonymous": "session:s1"})
    assert ids(sports, customer="me", again=False)[0] == "sock"
    assert "run-red" not in ids(sports, session="s1", again=False)

    mine = ids(sports, kind="rerank", items=["run-pro", "bottle", "sock"], session="s1")
    assert (mine[0], len(mine)) == ("sock", 3)


def test_trending_goes_by_its_window(sports) -> None:
    do(sports, *((f"C{n}", "sock") for n in range(9)), days=20)
    do(sports, *((f"C{n}", "run-red") for n in range(5)), days=3)
    do(sports, *((f"C{n}", "bottle") for n in range(2)))

    firsts = {
        window: answer(sports, kind="trending", window=window, limit=1)["items"][0]
        for window in ("day", "week", "month")
    }

    assert [first["item"] for first in firsts.values()] == ["bottle", "run-red", "sock"]
    assert firsts["week"]["reason"]["text"] == "Popular this week"
    padded = answer(sports, kind="trending", window="hour", limit=2)
    assert [pick["item"] for pick in padded["items"]] == ["bottle", "sock"]
    assert padded["fallback"] == "popular"


def test_the_callers_own_list_comes_back_whole(sports) -> None:
    mine = ["sock", "ghost", "bottle", "run-red", "sock"]
    found = answer(sports, kind="rerank", items=mine)

    assert [pick["item"] for pick in found["items"]] == ["sock", "bottle", "run-red"]
    assert (found["unknown"], found["fallback"]) == (["ghost"], "given_order")
    assert ids(
        sports, kind="rerank", items=mine, boosts=[{"filter": "price > 50", "weight": 10}]
    ) == ["run-red", "sock", "bottle"]


def test_a_search_reads_the_price_and_says_what_matched(sports) -> None:
    found = answer(sports, kind="search", query="red running shoes under 300")

    assert found["items"][0]["item"] == "run-red"
    assert "run-pro" not in [pick["item"] for pick in found["items"]]
    assert found["items"][0]["reason"]["text"] == "Matches “red”, “running”, “shoes”"
    chinese = answer(sports, kind="search", query="300元以下的红色跑鞋", language="zh")
    assert chinese["items"][0]["item"] == "run-red"
    assert chinese["items"][0]["reason"]["text"] == "匹配“红色跑鞋”"
    assert ids(sports, kind="search", query="red shoes", filter="price > 300") == ["run-pro"]


def test_a_search_that_finds_nothing_says_so_by_its_fallback(sports) -> None:
    do(sports, ("C1", "sock"))
    found = answer(sports, kind="search", query="a loyalty programme under 50", limit=1)

    assert (found["items"][0]["item"], found["fallback"]) == ("sock", "popular")


def test_what_was_bought_can_be_left_out(sports) -> None:
    do(sports, ("C1", "sock"), kind="buy", days=300)
    do(sports, ("C1", "bottle"))

    assert set(ids(sports, customer="C1", exclude_bought=True)) == ALL - {"sock"}
    assert set(ids(sports, customer="C1", again=False)) == ALL - {"sock", "bottle"}
    assert set(ids(sports, customer="C1")) == ALL


def test_caps_and_boosts_shape_the_list(sports) -> None:
    do(sports, *((f"C{n}", item) for item in ("run-red", "run-blue") for n in range(3)))
    do(sports, ("C1", "sock"), ("C2", "sock"), ("C1", "bottle"))

    assert ids(sports, limit=4) == ["run-blue", "run-red", "sock", "bottle"]
    assert ids(sports, limit=3, max_per_brand=1) == ["run-blue", "sock", "bottle"]
    assert ids(sports, limit=3, max_per_category=1) == ["run-blue", "sock", "bottle"]
    boosted = ids(sports, limit=4, boosts=[{"filter": 'brand == ""', "weight": 9}])
    assert boosted[0] == "bottle"
    varied = ids(sports, limit=2, diversity=1)
    assert varied[0] == "run-blue"
    assert varied[1] != "run-red"


def test_what_was_shown_and_left_alone_sinks(sports) -> None:
    do(sports, *((f"C{n}", item) for item in ("run-red", "sock", "bottle") for n in range(3)))
    mine = {"limit": 2, "customer": "me", "rotate": True, "scenario": "home"}
    first = ids(sports, **mine)
    do(sports, ("me", first[0]))

    again = ids(sports, **mine)

    assert again[0] == first[0]
    assert again[1] not in first
    assert ids(sports, **mine | {"rotate": False}) == first
    assert ids(sports, **mine | {"scenario": "cart"}) == first
    assert ids(sports, **mine | {"customer": "somebody else"}) == first


def test_new_items_get_their_share_of_the_places(sports) -> None:
    do(sports, *((f"C{n}", item) for item in ALL - {"sock-2", "bottle"} for n in range(3)))
    with sports.scope():
        long_ago = timezone.now() - timedelta(days=60)
        Item.objects.exclude(external_id="bottle").update(created_at=long_ago)
        store.touch("catalog")

    assert "bottle" not in ids(sports, limit=4)
    found = answer(sports, limit=4, explore=0.25)["items"]
    new = [pick for pick in found if pick["item"] == "bottle"]
    assert [pick["reason"]["text"] for pick in new] == ["New in the shop"]
    assert len(found) == 4
