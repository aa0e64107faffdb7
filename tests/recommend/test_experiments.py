"""Experiments over HTTP: customers spread stably, judged soundly, ended with a winner."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from saas.recommend.models import Event, Experiment, Recommendation
from tests.recommend.test_attribution import ITEMS, ask
from tests.recommend.test_recommendations import stocked, trained, visited  # noqa: F401

ARMS = [{"name": "popular", "share": 0.5, "settings": {"model": "popular"}}]
ARMS += [{"name": "model", "share": 0.5}]
BODY = {"name": "first", "scenario": "home", "metric": "ctr", "arms": ARMS}


@pytest.fixture
def running(shop: Any) -> Any:
    shop.call.post("items", ITEMS)
    return shop


def start(business: Any, **more: Any) -> str:
    answer = business.call.post("experiments", BODY | more)
    assert answer.status_code == 201, answer.content
    id_: str = answer.json()["id"]
    return id_


def arm_of(business: Any, **body: Any) -> tuple[str | None, str]:
    id_ = ask(business, **body)["recommendation_id"]
    found = business.call.get(f"recommendations/{id_}").json()
    return found["experiment"], found["arm"]


def judged(business: Any, id_: str, language: str = "en") -> dict[str, Any]:
    answer = business.call.get(f"experiments/{id_}?language={language}")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def lived(business: Any, id_: str, *, days: int = 10, **arms: tuple[int, int]) -> None:
    """Customers of each arm, evenly over the days before now, and how many of them clicked."""
    began = timezone.now() - timedelta(days=days)
    with business.scope():
        Experiment.objects.filter(id=id_).update(started_at=began)
        answers, clicks = [], []
        for arm, (customers, hits) in arms.items():
            for number in range(customers):
                at = began + timedelta(days=days) * (number + 0.5) / customers
                row = Recommendation(
                    customer=f"{arm}{number}",
                    kind="for_you",
                    scenario="home",
                    items=[["tea", "popular", None, 1.0, ""]],
                    experiment=UUID(id_),
                    arm=arm,
                    at=at,
                )
                answers.append(row)
                if number * hits // customers != (number + 1) * hits // customers:
                    event = {"customer": row.customer, "item": "tea", "digest": uuid4()}
                    event |= {"kind": "click", "at": at, "recommendation": row.id}
                    clicks.append(Event(**event))
        Recommendation.objects.bulk_create(answers)
        Event.objects.bulk_create(clicks)


def test_a_customer_stays_in_an_arm_and_experiments_are_apart(running) -> None:
    id_ = start(running)
    customers = [f"C{number}" for number in range(40)]

    first, again = ([arm_of(running, customer=c) for c in customers] for _ in range(2))

    assert first == again
    assert {experiment for experiment, _ in first} == {id_}
    counts = Counter(arm for _, arm in first)
    assert min(counts["popular"], counts["model"]) > 8
    assert arm_of(running, customer="C1", scenario="cart") == (None, "")
    assert {arm for _, arm in (arm_of(running) for _ in range(20))} == {"popular", "model"}
    running.call.post(f"experiments/{id_}/end")
    start(running, name="second")
    other = [arm for _, arm in (arm_of(running, customer=c) for c in customers)]
    same = sum(arm == then for arm, (_, then) in zip(other, first, strict=True))
    assert 8 < same < 32  # half of them: independent of the first


def test_an_arm_does_what_its_settings_say(trained) -> None:  # noqa: F811
    (version,) = trained.call.get("versions").json()["results"]
    models = {"popular": None, version["id"]: version["id"], "live": version["id"]}
    arms = [
        {"name": name, "share": 1 / 3, "settings": {"model": model}}
        for name, model in zip("abc", models, strict=True)
    ]
    id_ = start(trained, arms=arms)

    used = {}
    for number in range(30):
        answer = ask(trained, customer=f"C{number}", limit=2)
        row = trained.call.get(f"recommendations/{answer['recommendation_id']}").json()
        used[row["arm"]] = answer["model_version"]

    assert used == dict(zip("abc", models.values(), strict=True))
    ended = trained.call.post(f"experiments/{id_}/end", {"winner": "a"}).json()
    assert ended["winner"] == "a"
    assert ask(trained, customer="C1", limit=2)["model_version"] is None
    assert ask(trained, customer="C1", scenario="cart")["model_version"] == version["id"]
    assert trained.call.delete(f"experiments/{id_}").status_code == 204
    assert ask(trained, customer="C1", limit=2)["model_version"] == version["id"]


def test_an_arm_may_leave_the_shops_rules_out(running) -> None:
    rule = {"name": "out", "action": "hide", "items": ["tea"]}
    assert running.call.post("recommendation-rules", rule).status_code == 201
    arms = [{"name": "ruled", "share": 0.5}]
    arms += [{"name": "free", "share": 0.5, "settings": {"rules": False, "explore": 0.5}}]
    start(running, arms=arms)

    shown: dict[str, set[bool]] = {"ruled": set(), "free": set()}
    for number in range(20):
        answer = ask(running, customer=f"C{number}")
        row = running.call.get(f"recommendations/{answer['recommendation_id']}").json()
        shown[row["arm"]].add("tea" in {pick["item"] for pick in answer["items"]})

    assert shown == {"ruled": {False}, "free": {True}}


def test_a_winning_version_goes_live(trained, worked_off) -> None:  # noqa: F811
    with worked_off():
        trained.call.post("training/runs", {"kind": "recommend"})
    found = trained.call.get("versions").json()["results"]
    other = next(version["id"] for version in found if not version["active"])
    id_ = start(trained, arms=[ARMS[0], ARMS[1] | {"settings": {"model": other}}])

    trained.call.post(f"experiments/{id_}/end", {"winner": "model"})

    assert ask(trained, scenario="cart")["model_version"] == other
    assert ask(trained)["model_version"] == other


def test_a_true_difference_stops_it_and_names_the_better_arm(running) -> None:
    id_ = start(running)
    lived(running, id_, popular=(600, 90), model=(600, 180))

    found = judged(running, id_)

    assert (found["decision"], found["better"]) == ("stop", "model")
    assert "“model” is better" in found["summary"]
    assert "“model”组更好" in judged(running, id_, "zh")["summary"]
    assert [r["customers"] for r in found["results"]] == [600, 600]
    assert [r["counted"] for r in found["results"]] == [540, 540]  # the last day is not over
    assert found["results"][0]["value"]["estimate"] == pytest.approx(0.15)
    (comparison,) = found["comparisons"]
    assert comparison["better"] is True
    assert 0 < comparison["difference"]["low"] < 0.15 < comparison["difference"]["high"]


def test_a_worse_arm_stops_it_for_the_first_one(running) -> None:
    id_ = start(running)
    lived(running, id_, popular=(600, 180), model=(600, 90))

    assert judged(running, id_)["better"] == "popular"


def test_what_is_decided_does_not_come_undone(running) -> None:
    id_ = start(running)
    lived(running, id_, days=20, popular=(600, 60), model=(600, 180))
    with running.scope():  # then the other arm catches up
        late = Recommendation.objects.filter(
            arm="popular", at__gt=timezone.now() - timedelta(days=8)
        )
        rows = [
            Event(customer=r.customer, item="tea", digest=uuid4(), kind="click", at=r.at)
            for r in late
        ]
        for event, answer in zip(rows, late, strict=True):
            event.recommendation = answer.id
        Event.objects.bulk_create(rows)

    found = judged(running, id_)

    assert found["comparisons"][0]["difference"]["estimate"] < 0
    assert (found["decision"], found["better"]) == ("stop", "model")


def test_no_difference_keeps_it_running_and_says_how_long(running) -> None:
    id_ = start(running)
    lived(running, id_, popular=(400, 80), model=(400, 90))

    found = judged(running, id_)

    assert (found["decision"], found["better"]) == ("keep_running", None)
    needed = found["comparisons"][0]["needed"]
    assert needed > 1_000
    assert f"{needed:,} customers an arm; the smallest has 360" in found["summary"]
    assert "继续实验" in judged(running, id_, "zh")["summary"]


def test_a_new_experiment_says_nothing(running) -> None:
    found = judged(running, start(running))

    assert found["decision"] == "keep_running"
    assert found["comparisons"][0]["difference"] is None
    assert [r["value"] for r in found["results"]] == [None, None]


def test_arms_that_lost_customers_are_not_believed(running) -> None:
    id_ = start(running)
    lived(running, id_, popular=(600, 60), model=(450, 200))

    found = judged(running, id_)

    assert (found["decision"], found["better"]) == ("mistrust", None)
    assert "600 / 450" in found["summary"]
    assert found["ratio_p"] < 0.001


@pytest.mark.parametrize("metric", ["conversion", "revenue"])
def test_a_week_after_the_first_answer_sales_count(metric, running) -> None:
    id_ = start(running, metric=metric)
    lived(running, id_, days=10, popular=(20, 20), model=(20, 0))
    with running.scope():
        for click in Event.objects.filter(kind="click"):
            for days in (1, 2, 9):  # the last one is too late
                Event.objects.create(
                    customer=click.customer,
                    item="tea",
                    kind="buy",
                    recommendation=click.recommendation,
                    at=click.at + timedelta(days=days),
                    digest=uuid4(),
                )

    popular, model = judged(running, id_)["results"]

    assert (popular["customers"], popular["counted"]) == (20, 6)
    assert popular["value"]["estimate"] == {"conversion": 1, "revenue": 20}[metric]
    assert model["value"]["estimate"] == 0


def test_one_experiment_runs_in_a_scenario(running, bank) -> None:
    id_ = start(running)

    def refused(**more: Any) -> str:
        answer = running.call.post("experiments", BODY | more)
        assert answer.status_code in (400, 409), answer.content
        code: str = answer.json()["code"]
        return code

    assert refused(name="second") == "experiment_running"
    assert refused(scenario="cart") == "name_taken"
    assert running.call.post(f"experiments/{id_}/end", {"winner": "x"}).json()["code"] == "no_arm"
    assert running.call.post(f"experiments/{id_}/end").status_code == 200
    assert running.call.post(f"experiments/{id_}/end").json()["code"] == "experiment_over"
    assert start(running, name="second") != id_
    assert start(bank) != id_
    assert [e["name"] for e in running.call.get("experiments").json()["results"]] == [
        "second",
        "first",
    ]


def test_arms_that_make_no_experiment_are_refused_with_why(running) -> None:
    wrong = {
        "sum to 1": [ARMS[0], ARMS[1] | {"share": 0.4}],
        "names of their own": [ARMS[0], ARMS[0]],
        "at least 2": ARMS[:1],
        "There is no such field": [ARMS[0], ARMS[1] | {"settings": {"colour": "red"}}],
        "There is no version": [ARMS[0], ARMS[1] | {"settings": {"model": str(uuid4())}}],
    }
    for said, arms in wrong.items():
        answer = running.call.post("experiments", BODY | {"arms": arms})
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
    assert running.call.get("experiments").json()["results"] == []
