"""/v1/recommendation-rules: what the business wants, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.recommend.test_demands import answer, do, ids


@pytest.fixture
def lively(sports) -> Any:
    """Its items have an order: run-red, run-blue, sock, the others."""
    deeds = [("run-red", 4), ("run-blue", 3), ("sock", 2)]
    do(sports, *((f"C{n}", item) for item, times in deeds for n in range(times)))
    return sports


def rule(business: Any, action: str, **values: Any) -> str:
    made = business.call.post("recommendation-rules", {"name": action, "action": action} | values)
    assert made.status_code == 201, made.content
    id_: str = made.json()["id"]
    return id_


def test_hidden_items_never_come(lively) -> None:
    id_ = rule(lively, "hide", filter='"sale" in tags')

    for body in ({}, {"kind": "trending"}, {"kind": "similar", "item": "run-red"}):
        assert not {"run-red", "sock"} & set(ids(lively, limit=100, **body))
    assert "sock" not in ids(lively, kind="search", query="wool socks")
    assert lively.call.delete(f"recommendation-rules/{id_}").status_code == 204
    assert ids(lively, limit=1) == ["run-red"]


def test_pinned_items_stand_where_they_should(lively) -> None:
    rule(lively, "pin", items=["bottle", "ghost", "sock-2"], position=2)
    rule(lively, "pin", name="a sale first", filter='"sale" in tags and price < 20')

    found = answer(lively, limit=4)["items"]

    assert [pick["item"] for pick in found] == ["sock", "bottle", "sock-2", "run-red"]
    assert found[1]["reason"]["text"] == "Picked by the shop"
    assert "bottle" not in ids(lively, limit=4, filter='category == "shoes"')
    assert "bottle" not in ids(lively, limit=2, exclude=["bottle"])


def test_boosted_items_rise_and_buried_ones_sink(lively) -> None:
    rule(lively, "boost", filter='category == "socks"', weight=4)
    assert ids(lively, limit=3)[0] == "sock"
    rule(lively, "bury", items=["sock"], weight=0.1)
    assert ids(lively, limit=3)[0] == "run-red"


def test_a_rule_holds_in_its_place_and_time_only(lively) -> None:
    now = timezone.now()
    id_ = rule(lively, "hide", items=["run-red"], scenario="cart")
    rule(lively, "hide", name="over", items=["run-red"], ends_at=str(now - timedelta(hours=1)))
    rule(lively, "hide", name="later", items=["run-red"], starts_at=str(now + timedelta(hours=1)))
    rule(lively, "hide", name="off", items=["run-red"], active=False)

    assert ids(lively, limit=1) == ["run-red"]
    assert ids(lively, limit=1, scenario="cart") == ["run-blue"]

    changed = {"name": "everywhere", "action": "hide", "items": ["run-red"]}
    answered = lively.call("PUT", f"recommendation-rules/{id_}", changed).json()
    assert (answered["name"], answered["scenario"]) == ("everywhere", "")
    assert ids(lively, limit=1) == ["run-blue"]
    assert lively.call.get("recommendation-rules").json()["results"][-1] == answered


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"action": "hide"}, "either a filter or items"),
        ({"action": "hide", "filter": "price < 1", "items": ["a"]}, "either a filter or items"),
        (
            {"action": "hide", "filter": "prize < 1"},
            'filter: At character 1: there is no field "prize"',
        ),
        ({"action": "boost", "items": ["a"], "weight": 0.5}, "a boost weighs more than 1"),
        ({"action": "bury", "items": ["a"], "weight": 2}, "a burial weighs less than 1"),
        ({"action": "pin", "items": ["a"], "weight": 2}, "weight belongs to boost and bury"),
        (
            {"action": "pin", "items": ["a"], "starts_at": "2026-02-01", "ends_at": "2026-01-01"},
            "ends_at must be after starts_at",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(shop, values: dict[str, Any], says: str) -> None:
    refused = shop.call.post("recommendation-rules", {"name": "mine"} | values)

    assert refused.status_code == 400
    assert says in refused.json()["detail"]


def test_two_rules_have_two_names(shop) -> None:
    rule(shop, "hide", items=["a"])
    again = {"name": "hide", "action": "pin", "items": ["a"]}

    refused = shop.call.post("recommendation-rules", again)

    assert (refused.status_code, refused.json()["code"]) == (409, "name_taken")
