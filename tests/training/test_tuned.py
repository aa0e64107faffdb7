"""Tuned runs over the API: an adapter on the shared encoder, live behind the instant model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from saas.training import store, work
from saas.training.models import Run
from tests.training import phrases
from tests.training.test_runs import log_of, versions

QUICK = {"epochs": 1, "rank": 2, "seed": 7}


def tune(business: Any, worked_off: Any, **options: Any) -> dict[str, Any]:
    body = {"kind": "intent", "step": "tuned", "options": QUICK | options}
    with worked_off():
        started = business.call.post("training/runs", body)
        assert started.status_code == 202, started.content
    run: dict[str, Any] = business.call.get(f"training/runs/{started.json()['id']}").json()
    return run


@pytest.fixture
def taught(shop: Any) -> Any:
    shop.call.post("examples", phrases.rows())
    return shop


def test_a_tuned_model_answers_chats_and_keeps_its_settings(taught, worked_off) -> None:
    pair = {"question": "Do you ship batteries?", "answer": "Yes, by road only."}
    taught.call.post("knowledge", [pair])

    run = tune(taught, worked_off, typos="on")

    assert run["state"] == "succeeded", run
    assert (run["step"], run["options"]["typos"]) == ("tuned", "on")
    live = versions(taught)[1]
    assert (live["active"], live["step"]) == (True, "tuned")
    said = taught.call.post("chat/messages", {"text": "I want my money back"}).json()["answer"]
    assert said["intent"] == "refund"
    asked = taught.call.post("chat/messages", {"text": "Do you ship batteries?"}).json()["answer"]
    assert (asked["kind"], asked["text"]) == ("passage", "Yes, by road only.")


def test_the_bot_answers_while_passages_wait_for_their_new_vectors(
    taught, worked_off, monkeypatch
) -> None:
    """The passages are searched where the encoder is as it was, and roll-back needs nothing."""
    with worked_off():
        pair = {"question": "Do you ship batteries?", "answer": "By road only."}
        taught.call.post("knowledge", [pair])
    monkeypatch.setattr("saas.chat.tasks.embed.delay", lambda tenant_id: None)

    assert tune(taught, worked_off)["state"] == "succeeded"

    said = taught.call.post("chat/messages", {"text": "Do you ship batteries?"}).json()["answer"]
    assert said["text"] == "By road only."


def test_each_tenant_is_served_with_its_own_adapter(taught, bank, worked_off) -> None:
    bank.call.post("examples", phrases.rows())
    for business, seed in ((taught, 1), (bank, 2)):
        assert tune(business, worked_off, seed=seed)["state"] == "succeeded"
    spaces = set()
    for business in (taught, bank):
        with business.scope():
            spaces.add(store.live("intent", encoder=_encoder()).adapter.space)
    assert len(spaces) == 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (
            {"kind": "recommend", "step": "tuned", "options": {"rank": 2}},
            "a tuned run of kind recommend takes the options epochs, seed, text: leave out rank",
        ),
        (
            {"kind": "recommend", "options": {"epochs": 2}},
            "an instant run of kind recommend takes no options: leave out epochs",
        ),
        (
            {"kind": "intent", "options": {"typos": "on"}},
            "the options precision, recall: leave out typos",
        ),
        ({"kind": "intent", "step": "tuned", "options": {"typos": "maybe"}}, "typos"),
        ({"kind": "intent", "step": "tuned", "options": {"epochs": 0}}, "epochs"),
        ({"kind": "intent", "step": "tuned", "options": {"magic": "on"}}, "magic"),
    ],
)
def test_settings_that_make_no_sense_are_named(shop, body, named) -> None:
    answer = shop.call.post("training/runs", body)
    assert answer.status_code == 400
    assert named in answer.content.decode()


def test_without_examples_a_tuned_run_says_what_is_missing(shop, worked_off) -> None:
    run = tune(shop, worked_off)
    assert (run["state"], "no examples" in run["error"]) == ("failed", True)


@pytest.mark.parametrize(
    ("examples", "told"),
    [
        ([("Where is my parcel?", "order"), ("Track it", "order")], "one intent only"),
        ([("Where is my parcel?", "order"), ("I want my money", "refund")], "single example"),
    ],
)
def test_what_teaches_little_goes_live_with_a_note(shop, worked_off, examples, told) -> None:
    shop.call.post("examples", [{"text": text, "intent": intent} for text, intent in examples])
    run = tune(shop, worked_off)
    assert run["state"] == "succeeded", run
    report = shop.call.get(f"versions/{run['id']}/report").json()["report"]
    assert told in " ".join(report["notes"])


def test_a_cancelled_run_leaves_no_checkpoint_and_the_live_model_in_place(
    taught, worked_off, monkeypatch
) -> None:
    first = tune(taught, worked_off)
    progressed = work._reporter

    def cancelling(tenant_id: Any, run: Run) -> Any:
        report = progressed(tenant_id, run)

        def tell(share: float, line: str = "") -> None:
            if share > 0.3:
                taught.call.post(f"training/runs/{run.id}/cancel")
            report(share, line)

        return tell

    monkeypatch.setattr(work, "_reporter", cancelling)
    run = tune(taught, worked_off, epochs=3)

    assert run["state"] == "cancelled"
    assert versions(taught)[1]["id"] == first["id"]
    assert not list(Path(store.settings.ARTIFACTS).rglob("*.checkpoints"))
    said = taught.call.post("chat/messages", {"text": "I want my money back"}).json()["answer"]
    assert said["intent"] == "refund"


def test_a_checkpoint_that_finds_no_room_is_told_and_training_goes_on(
    taught, worked_off, monkeypatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ml.artifact._put_in_place", full)
    monkeypatch.setattr(store, "write", lambda kind, version_id, model: None)
    run = tune(taught, worked_off)
    assert run["state"] == "succeeded", run
    assert "no space left" in " ".join(log_of(taught, run["id"])).lower()


def _encoder() -> str:
    from saas import engine

    return engine.fingerprint()
