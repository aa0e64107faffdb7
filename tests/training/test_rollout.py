"""Champion and challenger, corrections, drift, the schedule: what happens after a version is live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.training import drift, schedules, tasks
from saas.training.models import Alarm, Observation, Run
from tests.training import phrases
from tests.training.test_runs import train, versions
from tests.training.test_tuned import QUICK

QUESTION = "Where is my parcel?"


def say(business: Any, text: str = QUESTION, **more: Any) -> dict[str, Any]:
    answer = business.call.post("chat/messages", {"text": text, **more})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def two(shop: Any, worked_off: Any) -> tuple[Any, dict[int, dict[str, Any]]]:
    """A tenant with version 1, and version 2 live, which has one more intent."""
    shop.call.post("examples", phrases.rows())
    train(shop, worked_off)
    more = [{"text": f"{word} gift card", "intent": "gift_card"} for word in ("A", "Buy a", "My")]
    shop.call.post("examples", more)
    train(shop, worked_off)
    found = versions(shop)
    if not found[2]["active"]:
        shop.call.post(f"versions/{found[2]['id']}/activate")
    return shop, versions(shop)


def challenge(business: Any, version: str, **more: Any) -> Any:
    return business.call.post("challenges", {"version": version, **more})


def test_a_shadow_watches_and_never_answers(two) -> None:
    shop, found = two
    started = challenge(shop, found[1]["id"])
    assert started.status_code == 201, started.content
    for text in (QUESTION, "I want my money back", "Buy a gift card"):
        assert say(shop, text)["answer"]["intent"] is not None
    compared = shop.call.get(f"challenges/{started.json()['id']}").json()
    assert compared["champion_arm"]["messages"] == compared["challenger_arm"]["messages"] == 3
    assert 0 < compared["agreement"] < 1
    assert compared["swaps"][0]["champion"] == "gift_card"
    with shop.scope():
        assert {str(o.version) for o in Observation.objects.all()} == {found[2]["id"]}


def test_a_share_answers_whole_conversations(two) -> None:
    shop, found = two
    id_ = challenge(shop, found[1]["id"], mode="share", share=0.5).json()["id"]
    for _ in range(12):
        first = say(shop)
        say(shop, conversation_id=first["conversation_id"])
    compared = shop.call.get(f"challenges/{id_}").json()
    counts = [compared[f"{arm}_arm"]["messages"] for arm in ("champion", "challenger")]
    assert sum(counts) == 24
    assert all(count and count % 2 == 0 for count in counts)


def test_a_challenger_that_fails_hurts_no_answer(two, monkeypatch) -> None:
    shop, found = two
    challenge(shop, found[1]["id"])
    with shop.scope():
        from saas.training import store

        model = store.load("intent", found[1]["id"])
    monkeypatch.setattr(model, "predict", lambda vectors: 1 / 0)
    assert say(shop)["answer"]["intent"] == "order_status"


def test_promoted_the_challenger_is_live_and_one_click_brings_the_old_one_back(two) -> None:
    shop, found = two
    id_ = challenge(shop, found[1]["id"]).json()["id"]
    assert shop.call.post(f"challenges/{id_}/promote").status_code == 200
    assert versions(shop)[1]["active"]
    back = shop.call.post("versions/rollback", {"kind": "intent"})
    assert (back.status_code, back.json()["number"]) == (200, 2)
    assert shop.call.post(f"challenges/{id_}/end").json()["code"] == "challenge_over"


def test_what_cannot_challenge_is_told_why(two, bank) -> None:
    shop, found = two
    assert challenge(shop, found[2]["id"]).json()["code"] == "is_live"
    assert challenge(shop, found[1]["id"], mode="share").status_code == 400
    assert challenge(shop, found[1]["id"], share=0.5).status_code == 400
    assert challenge(shop, found[1]["id"]).status_code == 201
    assert challenge(shop, found[1]["id"]).json()["code"] == "challenge_open"
    assert challenge(bank, found[1]["id"]).json()["code"] == "no_version"
    assert (
        bank.call.post("versions/rollback", {"kind": "intent"}).json()["code"] == "nothing_before"
    )


def test_a_correction_is_learned_and_can_be_taken_back(shop, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    text = "Die Lieferung ist verschwunden"
    row = shop.call.post("corrections", {"text": text, "intent": "lost_parcel"}).json()
    assert [c["id"] for c in shop.call.get("corrections").json()["results"]] == [row["id"]]
    train(shop, worked_off)
    assert say(shop, text)["answer"]["intent"] == "lost_parcel"
    assert shop.call.delete(f"corrections/{row['id']}").status_code == 204
    examples = shop.call.get("examples").json()["results"]
    assert text not in {example["text"] for example in examples}


def test_an_answer_is_corrected_by_its_id(shop, bank, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    train(shop, worked_off)
    path = f"messages/{say(shop)['message_id']}/correction"
    row = shop.call.post(path, {"intent": "lost_parcel"}).json()
    assert (row["text"], row["guessed"]) == (QUESTION, "order_status")
    assert bank.call.post(path, {"intent": "lost_parcel"}).status_code == 404


def test_a_version_that_does_worse_on_corrected_messages_stays_out(
    shop, worked_off, monkeypatch
) -> None:
    shop.call.post("examples", phrases.rows())
    shop.call.post("corrections", {"text": "Parcel gone", "intent": "order_status"})
    train(shop, worked_off)
    from saas.training import intents

    worse = {"corrections_accuracy": 0.5, "champion_corrections_accuracy": 1.0}
    monkeypatch.setattr(intents, "rival", lambda model, live, data: worse)
    run = train(shop, worked_off)
    held = versions(shop)[2]
    assert (run["state"], held["active"]) == ("succeeded", False)
    assert "corrected messages" in held["note"]


def test_a_version_is_measured_on_examples_it_was_not_trained_on(shop, worked_off) -> None:
    rows = [
        {"text": f"{text} {number}", "intent": intent}
        for intent, texts in phrases.INTENTS.items()
        for text in texts[:3]
        for number in range(6)
    ]
    shop.call.post("examples", rows)
    train(shop, worked_off)
    metrics = versions(shop)[1]["metrics"]
    assert 0 < metrics["test_size"] < len(rows) / 3
    assert 0 <= metrics["test_accuracy"] <= 1


def observe(business: Any, version: str, confidences: list[float], *, in_scope: bool) -> None:
    start = timezone.now() + timedelta(seconds=Observation.objects.count())
    Observation.objects.bulk_create(
        Observation(
            version=version,
            confidence=confidence,
            in_scope=in_scope,
            answered=True,
            at=start + timedelta(milliseconds=place),
        )
        for place, confidence in enumerate(confidences)
    )


def test_an_alarm_is_raised_once_where_live_traffic_moves_away(two) -> None:
    shop, found = two
    sure = [0.9 + place % 10 / 100 for place in range(drift.WINDOW)]
    with shop.scope():
        observe(shop, found[2]["id"], sure + sure, in_scope=True)
    tasks.watch()
    assert shop.call.get("alarms").json()["results"] == []
    with shop.scope():
        observe(shop, found[2]["id"], [c / 2 for c in sure], in_scope=False)
    tasks.watch()
    tasks.watch()
    alarms = {alarm["sign"]: alarm for alarm in shop.call.get("alarms").json()["results"]}
    assert alarms.keys() == {"confidence", "scope"}
    assert alarms["scope"]["value"] == 1.0
    assert {"en", "zh"} == alarms["confidence"]["meaning"].keys()
    path = f"alarms/{alarms['scope']['id']}/acknowledge"
    assert shop.call.post(path).json()["acknowledged_at"]
    assert shop.call.post(path).json()["code"] == "acknowledged"


def test_few_messages_raise_no_alarm(two) -> None:
    shop, found = two
    with shop.scope():
        observe(shop, found[2]["id"], [0.9] * drift.WINDOW + [0.1] * 10, in_scope=True)
        assert drift.watch() == []
        assert Alarm.objects.count() == 0


def test_the_schedule_tunes_again_from_what_is_new(shop, worked_off, monkeypatch) -> None:
    """A run that goes on from the live tuned model: new intents are learned, old ones stay."""
    shop.call.post("examples", phrases.rows())
    with worked_off():
        body = {"kind": "intent", "step": "tuned", "options": QUICK}
        assert shop.call.post("training/runs", body).status_code == 202
    assert shop.call.get("training/schedule").json() == {"every": "off", "least": 20}
    set_ = shop.call("PUT", "training/schedule", {"every": "day", "least": 2})
    assert set_.status_code == 200, set_.content
    texts = ("Buy a gift card", "Is there a gift card?", "Gift card for my mother", "买礼品卡")
    shop.call.post("examples", [{"text": t, "intent": "gift_card"} for t in texts])

    tasks.watch()
    with shop.scope():
        assert Run.objects.count() == 1  # a day has not passed
        Run.objects.update(created_at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr("saas.training.schedules.timezone.now", timezone.now)
    with shop.scope(), worked_off():
        assert schedules.keep() is not None

    found = versions(shop)[2]
    assert found["step"] == "tuned"
    run = shop.call.get(f"training/runs/{found['id']}").json()
    assert (run["state"], run["options"]) == ("succeeded", QUICK | {"continual": True})
    notes = shop.call.get(f"versions/{found['id']}/report").json()["report"]["notes"]
    assert any(note.startswith("1 intents came later") for note in notes)
    assert say(shop, "I want a gift card")["answer"]["intent"] == "gift_card"
    assert say(shop)["answer"]["intent"] == "order_status"
