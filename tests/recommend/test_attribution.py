"""What is credited to an answer, and the report of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from saas.recommend import robots
from saas.recommend.models import Event, Recommendation

ITEMS = [
    {"id": "tea", "title": "Green tea", "price": "10", "translations": {"zh": {"title": "绿茶"}}},
    {"id": "cup", "title": "Cup", "price": "4"},
    {"id": "pot", "title": "Pot"},
    {"id": "jar", "title": "Jar", "price": "7"},
]


@pytest.fixture
def stocked(shop: Any) -> Any:
    assert shop.call.post("items", ITEMS).json()["created"] == len(ITEMS)
    return shop


def ask(business: Any, **body: Any) -> dict[str, Any]:
    answer = business.call.post("recommendations", {"scenario": "home"} | body)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def answered(business: Any, *items: str, ago: timedelta, **more: Any) -> str:
    """An answer of an earlier time."""
    picks = [[item, "popular", None, 1.0, ""] for item in items]
    given = {"kind": "for_you", "scenario": "home", "customer": "C1"} | more
    with business.scope():
        row = Recommendation.objects.create(items=picks, at=timezone.now() - ago, **given)
    return str(row.id)


def happened(
    business: Any, kind: str, item: str, *, ago: timedelta, of: str | None = None, **more: Any
) -> None:
    with business.scope():
        given = {"customer": "C1"} | more
        Event.objects.create(
            kind=kind,
            item=item,
            at=timezone.now() - ago,
            recommendation=of,
            digest=uuid4(),
            **given,
        )


def report(business: Any, query: str = "") -> list[dict[str, Any]]:
    answer = business.call.get(f"recommendations/report{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["scenarios"]
    return found


def total(business: Any) -> dict[str, Any]:
    (scenario,) = report(business)
    found: dict[str, Any] = scenario["total"]
    return found


DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_an_answer_is_given_back_with_its_reasons_in_both_languages(stocked, bank) -> None:
    given = ask(stocked, customer="C1", limit=2, scenario="cart")
    path = f"recommendations/{given['recommendation_id']}"

    english, chinese = (stocked.call.get(f"{path}{query}").json() for query in ("", "?language=zh"))

    assert english["scenario"] == "cart"
    assert english["customer"] == "C1"
    assert [pick["item"] for pick in english["items"]] == [p["item"] for p in given["items"]]
    assert [pick["reason"] for pick in english["items"]] == [p["reason"] for p in given["items"]]
    assert {pick["reason"]["text"] for pick in chinese["items"]} == {"新品"}
    stocked.call.delete(f"items/{given['items'][0]['item']}")
    assert stocked.call.get(path).json()["items"][0]["title"] is None
    assert bank.call.get(path).status_code == 404


def test_an_answer_that_is_not_billed_is_not_kept(stocked) -> None:
    assert stocked.call.post("recommendations", {"limit": -1}).status_code == 400
    once = {"Idempotency-Key": "once"}
    for _ in range(2):
        stocked.call.post("recommendations", {"customer": "C1"}, **once)

    with stocked.scope():
        assert Recommendation.objects.count() == 1


def test_what_names_an_answer_is_credited_where_it_can_be(stocked) -> None:
    of = answered(stocked, "tea", "cup", ago=2 * DAY)
    for kind in ("impression", "click", "buy"):
        happened(stocked, kind, "tea", ago=DAY, of=of)
    happened(stocked, "click", "tea", ago=DAY, of=of)  # again: an item is clicked or not
    happened(stocked, "click", "jar", ago=DAY, of=of)  # was not in it
    happened(stocked, "click", "popular", ago=DAY, of=of)  # nor is what explains it
    happened(stocked, "buy", "cup", ago=DAY, of=of, customer="C2")  # not for them
    happened(stocked, "buy", "cup", ago=3 * DAY, of=of)  # before it
    happened(stocked, "view", "cup", ago=DAY, of=of)  # no step to a sale

    found = total(stocked)

    assert [found[name] for name in ("answers", "shown", "impressions", "clicks")] == [1, 2, 1, 1]
    assert (found["buys"], found["revenue"]) == (1, 10)
    assert found["ctr"]["estimate"] == found["conversion"]["estimate"] == 1
    assert 0 < found["ctr"]["low"] < 0.5


def test_events_sent_over_http_name_their_answer(stocked) -> None:
    answer = ask(stocked, session="S1", limit=4)
    event = {"session": "S1", "item": "tea", "recommendation": answer["recommendation_id"]}
    sent = [event | {"kind": "click"}]
    sent += [{"session": "S1", "item": "tea", "kind": "buy", "value": 9, "quantity": 2}]
    assert stocked.call.post("events", sent).json()["created"] == 2

    assert (total(stocked)["clicks"], total(stocked)["revenue"]) == (1, 18)
    known = {"customer": "C9", "session": "S1", "item": "cup", "kind": "buy"}
    known |= {"recommendation": answer["recommendation_id"]}
    assert stocked.call.post("events", [known]).json()["created"] == 1
    assert total(stocked)["buys"] == 2  # the visit turned out to be C9's


def test_long_after_an_answer_nothing_is_its_doing(stocked) -> None:
    of = answered(stocked, "tea", ago=40 * DAY)
    happened(stocked, "buy", "tea", ago=9 * DAY, of=of)
    assert report(stocked, f"?from={(timezone.now() - 50 * DAY).date()}")[0]["total"]["buys"] == 0

    happened(stocked, "buy", "tea", ago=11 * DAY, of=of)
    assert report(stocked, f"?from={(timezone.now() - 50 * DAY).date()}")[0]["total"]["buys"] == 1


def test_a_buy_that_names_none_goes_to_the_last_click_of_a_week(stocked) -> None:
    first = answered(stocked, "tea", "cup", ago=10 * DAY, scenario="home")
    later = answered(stocked, "tea", ago=4 * DAY, scenario="cart")
    happened(stocked, "click", "tea", ago=9 * DAY, of=first)
    happened(stocked, "click", "cup", ago=9 * DAY, of=first)
    happened(stocked, "click", "tea", ago=3 * DAY, of=later)
    happened(stocked, "buy", "tea", ago=DAY)  # of the later answer
    happened(stocked, "buy", "cup", ago=DAY)  # its click is over a week old
    happened(stocked, "buy", "tea", ago=2 * DAY, customer="C2")  # clicked nothing
    happened(stocked, "cart", "cup", ago=3 * DAY)

    cart, home = report(stocked)

    assert (home["scenario"], home["total"]["buys"], home["total"]["carts"]) == ("home", 0, 1)
    assert (cart["scenario"], cart["total"]["buys"], cart["total"]["revenue"]) == ("cart", 1, 10)
    assert report(stocked, "?scenario=home") == [home]


def test_having_been_shown_alone_sells_nothing(stocked) -> None:
    of = answered(stocked, "tea", ago=2 * HOUR)
    happened(stocked, "impression", "tea", ago=HOUR, of=of)
    happened(stocked, "buy", "tea", ago=HOUR)

    assert (total(stocked)["impressions"], total(stocked)["buys"]) == (1, 0)


def test_an_answer_for_nobody_is_credited_with_who_names_it_and_then_buys(stocked) -> None:
    of = answered(stocked, "tea", ago=2 * DAY, customer="")
    happened(stocked, "click", "tea", ago=DAY, of=of, customer="C7")
    happened(stocked, "buy", "tea", ago=HOUR, customer="C7")
    happened(stocked, "buy", "tea", ago=HOUR, customer="C8")

    assert total(stocked)["buys"] == 1


def test_revenue_is_the_price_paid_times_the_quantity(stocked) -> None:
    of = answered(stocked, "tea", "cup", "pot", ago=DAY)
    happened(stocked, "buy", "tea", ago=HOUR, of=of, quantity=3)  # the catalog's price: 30
    happened(stocked, "buy", "cup", ago=HOUR, of=of, value=2.5, quantity=2)  # its own: 5
    happened(stocked, "buy", "pot", ago=HOUR, of=of)  # nobody knows: nothing
    answered(stocked, "tea", ago=DAY)

    found = total(stocked)

    assert (found["revenue"], found["revenue_per_answer"]["estimate"]) == (35, 17.5)
    assert found["revenue_per_answer"]["low"] < 0 < found["revenue_per_answer"]["high"]


def test_a_robot_counts_nowhere(stocked, monkeypatch) -> None:
    monkeypatch.setattr(robots, "MOST_IN_AN_HOUR", 20)
    of, nobodys = (answered(stocked, "tea", ago=2 * DAY, customer=c) for c in ("R2", ""))
    answered(stocked, "tea", ago=2 * DAY)
    for number in range(21):
        happened(stocked, "view", f"page{number}", ago=DAY, customer="R2")
    for answer in (of, nobodys):
        happened(stocked, "click", "tea", ago=DAY, of=answer, customer="R2")

    assert (total(stocked)["answers"], total(stocked)["clicks"]) == (2, 0)


def test_a_report_tells_days_versions_and_coverage_apart(stocked) -> None:
    version = "00000000-0000-4000-8000-000000000001"
    for days, items in ((1, ("tea", "cup")), (1, ("tea",)), (3, ("pot",))):
        answered(stocked, *items, ago=days * DAY, version=version if days == 3 else None)
    answered(stocked, "jar", ago=60 * DAY)

    (home,) = report(stocked)

    assert [(day["day"], day["answers"]) for day in home["days"]] == [
        (str((timezone.now() - 3 * DAY).date()), 1),
        (str((timezone.now() - DAY).date()), 2),
    ]
    assert {(v["model_version"], v["shown"]) for v in home["versions"]} == {(version, 1), (None, 3)}
    assert home["coverage"] == 0.75
    assert home["arms"] == []


def test_a_report_without_answers_is_empty_and_days_must_be_in_order(stocked) -> None:
    assert report(stocked) == []
    for query in ("?from=2026-02-01&to=2026-01-01", "?from=2020-01-01&to=2026-01-01"):
        answer = stocked.call.get(f"recommendations/report{query}")
        assert (answer.status_code, "365 days" in answer.json()["detail"]) == (400, True)
    assert stocked.call.get("recommendations/report?from=soon").status_code == 400
