"""POST /v1/recommendations: what fits, ranked, explained, and never nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.billing.models import UsageRecord

TEAS = ("Longjing green tea", "Oolong tea", "White peony tea", "Jasmine tea", "Black tea", "Matcha")
BOOTS = ("Hiking boots", "Rain boots", "Snow boots", "Desert boots", "Work boots", "Riding boots")
ITEMS = [
    {
        "id": f"{kind}{number}",
        "title": title,
        "category": kind,
        "price": "10",
        "translations": {"zh": {"title": f"中文{kind}{number}"}},
    }
    for kind, titles in (("tea", TEAS), ("boot", BOOTS))
    for number, title in enumerate(titles)
]


def past() -> list[dict[str, Any]]:
    """Half of the customers take teas, half boots, over some weeks; tea0 is what most take."""
    now = timezone.now()
    events = []
    for customer in range(60):
        kind = ("tea", "boot")[customer % 2]
        for step in range(4):
            at = now - timedelta(days=1 + (customer * 7 + step * 5) % 40)
            item = f"{kind}{(customer // 2 + step * step) % 6}"
            events.append({"customer": f"C{customer}", "item": item, "kind": "buy", "at": str(at)})
        events.append(
            {
                "customer": f"C{customer}",
                "item": "tea0",
                "kind": "view",
                "at": str(now - timedelta(1)),
            }
        )
    return events


@pytest.fixture
def stocked(shop: Any, worked_off: Any) -> Any:
    with worked_off():
        assert shop.call.post("items", ITEMS).json()["created"] == len(ITEMS)
    return shop


@pytest.fixture
def visited(stocked: Any) -> Any:
    assert stocked.call.post("events", past()).json()["failed"] == 0
    return stocked


@pytest.fixture
def trained(visited: Any, worked_off: Any) -> Any:
    with worked_off():
        run = visited.call.post("training/runs", {"kind": "recommend"}).json()
    ended = visited.call.get(f"training/runs/{run['id']}").json()
    assert ended["state"] == "succeeded", ended
    return visited


def recommend(business: Any, **body: Any) -> list[dict[str, Any]]:
    answer = business.call.post("recommendations", body)
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def ids(business: Any, **body: Any) -> list[str]:
    return [pick["item"] for pick in recommend(business, **body)]


def see(business: Any, customer: str, *items: str) -> None:
    rows = [{"customer": customer, "item": item, "kind": "buy"} for item in items]
    assert business.call.post("events", rows).json()["created"] == len(rows)


def test_an_empty_catalog_has_nothing_to_recommend(shop) -> None:
    assert recommend(shop, customer="C1") == []


def test_a_catalog_without_events_shows_what_is_new(stocked) -> None:
    picks = recommend(stocked, limit=100)

    assert sorted(pick["item"] for pick in picks) == sorted(item["id"] for item in ITEMS)
    assert {pick["reason"]["source"] for pick in picks} == {"new"}


def test_before_any_training_what_is_popular_goes_first(visited) -> None:
    first = recommend(visited, limit=3)[0]
    assert (first["item"], first["reason"]["source"]) == ("tea0", "popular")


def test_popular_is_what_most_customers_took_not_what_one_took_most_often(visited) -> None:
    crowd = [{"customer": f"new{n}", "item": "boot5"} for n in range(100)]
    robot = [{"customer": "robot", "item": "tea5", "value": n} for n in range(300)]
    assert visited.call.post("events", crowd + robot).json()["created"] == 400

    assert ids(visited, limit=1) == ["boot5"]


def _check_filters(business: Any) -> None:
    business.call.post("items", [ITEMS[0] | {"available": False}])  # tea0
    everything = {item["id"] for item in ITEMS} - {"tea0"}
    for customer in (None, "C0", "C1", "nobody"):
        who = {"customer": customer} if customer else {}
        assert set(ids(business, limit=100, **who)) == everything
        boots = ids(business, limit=100, category="boot", exclude=["boot1", "none"], **who)
        assert set(boots) == {f"boot{n}" for n in range(6)} - {"boot1"}
        assert ids(business, category="hats", **who) == []
        assert len(ids(business, limit=2, **who)) == 2


def _check_deleted(business: Any) -> None:
    assert business.call.delete("items/boot3").status_code == 204
    for customer in ("C1", "nobody"):
        assert "boot3" not in ids(business, limit=100, customer=customer)
        assert len(ids(business, limit=100, customer=customer)) == len(ITEMS) - 1


def test_unavailable_excluded_deleted_and_other_categories_never_come_before_training(
    visited,
) -> None:
    _check_deleted(visited)
    visited.call.post("items", [item for item in ITEMS if item["id"] == "boot3"])
    _check_filters(visited)


def test_unavailable_excluded_and_other_categories_never_come_after_training(trained) -> None:
    _check_filters(trained)


def test_a_deleted_item_never_comes_after_training(trained) -> None:
    _check_deleted(trained)


def test_the_model_knows_what_goes_with_what(trained) -> None:
    teas, boots = (recommend(trained, customer=customer, limit=6) for customer in ("C0", "C1"))

    assert _boots(boots) > _boots(teas)


@pytest.mark.parametrize("fixture", ["visited", "trained"])
def test_what_the_customer_knows_can_be_left_out(fixture, request) -> None:
    business = request.getfixturevalue(fixture)
    known = ids(business)[:2]
    see(business, "returning", *known)
    assert not set(known) & set(ids(business, customer="returning", again=False))


def test_an_event_of_a_moment_ago_changes_the_next_recommendation(trained) -> None:
    before = recommend(trained, customer="fresh", limit=6)
    see(trained, "fresh", "boot1", "boot2")
    after = recommend(trained, customer="fresh", limit=6)

    assert {pick["reason"]["source"] for pick in before} == {"popular"}
    assert _boots(after) > _boots(before)


def _boots(picks: list[dict[str, Any]]) -> int:
    return sum(pick["item"].startswith("boot") for pick in picks)


def test_reasons_name_their_cause_in_both_languages(trained) -> None:
    see(trained, "fresh", "boot1")
    english = recommend(trained, customer="fresh", limit=1, again=False)[0]
    chinese = recommend(trained, customer="fresh", limit=1, again=False, language="zh")[0]

    assert english["reason"]["because"] == chinese["reason"]["because"] == "boot1"
    assert "“Rain boots”" in english["reason"]["text"]
    assert "“中文boot1”" in chinese["reason"]["text"]
    assert chinese["title"] == f"中文{chinese['item']}"
    assert recommend(trained, language="zh", limit=1)[0]["reason"]["text"] == "近期热门"


def test_a_tuned_run_compares_a_model_of_the_order_of_events(visited, worked_off) -> None:
    tuned = {
        "kind": "recommend",
        "step": "tuned",
        "options": {"epochs": 1, "seed": 3, "text": True},
    }
    with worked_off():
        run = visited.call.post("training/runs", tuned).json()
    version = visited.call.get(f"versions/{run['id']}").json()
    assert {"popularity", "linear", "sequence"} <= set(version["metrics"]["models"])
    assert ids(visited, customer="C1", limit=3)
    report = visited.call.get(f"versions/{run['id']}/report").json()["report"]
    assert report["figures"]["ndcg10"] == version["metrics"]["ndcg10"]
    assert report["models"]["sequence"]["customers"].keys() == {"cold", "warm", "hot"}
    assert report["sequence"]["epochs"] == 1
    for language, said in (("en", "with order of events"), ("zh", "含行为顺序")):
        address = f"versions/{run['id']}/report?format=html&language={language}"
        page = visited.call.get(address).content.decode()
        assert said in page
        assert f"{100 * report['figures']['recall10']:.2f}%" in page
        assert page.count('<path class="bar"') >= 4


def test_a_recommender_that_nobody_came_back_for_says_so(stocked, worked_off) -> None:
    with worked_off():
        run = stocked.call.post("training/runs", {"kind": "recommend"}).json()
    answer = stocked.call.get(f"versions/{run['id']}/report").json()
    assert answer["report"] == {"held_out": 0, "figures": None, "models": {}, "sequence": None}
    page = stocked.call.get(f"versions/{run['id']}/report?format=html&language=zh")
    assert "回访的顾客太少" in page.content.decode()


def test_an_item_newer_than_the_model_can_be_recommended(trained, worked_off) -> None:
    with worked_off():
        trained.call.post("items", [{"id": "late", "title": "Climbing boots", "category": "boot"}])

    assert "late" in ids(trained, limit=100)
    assert ids(trained, category="boot", limit=100, customer="C1").count("late") == 1


def test_each_answer_is_billed_once(visited) -> None:
    once = {"Idempotency-Key": "cart-7"}
    first, again = (visited.call.post("recommendations", {"limit": 1}, **once) for _ in range(2))
    visited.call.post("recommendations", {"limit": 0})

    assert first.json() == again.json()
    with visited.scope():
        assert UsageRecord.objects.filter(kind="recommendation").count() == 1


def test_another_tenants_items_never_come(visited, bank) -> None:
    see(bank, "C0", "tea0")

    assert ids(bank, customer="C0") == []
