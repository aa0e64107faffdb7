"""Cancelling a run: at once while it waits, at its next step while it works."""

import pytest

from saas.training import runs, store, work
from saas.training.models import ModelVersion, Run
from tests.training.test_runs import log_of

MADE = store.Made(metrics={}, fingerprint="", encoder="none")


@pytest.fixture
def run_id(shop) -> str:
    return shop.call.post("training/runs", {"kind": "intent"}).json()["id"]


def state(business, run_id: str) -> str:
    return business.call.get(f"training/runs/{run_id}").json()["state"]


def test_a_waiting_run_is_cancelled_at_once(shop, run_id) -> None:
    answer = shop.call.post(f"training/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert log_of(shop, run_id) == ["Queued.", "Cancelled."]
    assert shop.call.post("training/runs", {"kind": "intent"}).status_code == 202


def test_a_cancelled_run_is_not_worked_on(shop, run_id) -> None:
    shop.call.post(f"training/runs/{run_id}/cancel")
    work.perform(shop.id, run_id)
    assert state(shop, run_id) == "cancelled"
    assert log_of(shop, run_id) == ["Queued.", "Cancelled."]


def test_what_is_over_cannot_be_cancelled(shop, run_id) -> None:
    shop.call.post(f"training/runs/{run_id}/cancel")
    answer = shop.call.post(f"training/runs/{run_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_over")


def test_a_working_run_stops_at_its_next_step(shop, run_id) -> None:
    with shop.scope():
        held = runs.take(run_id)
        runs.report(held, 0.5, "Half-way.")

    answer = shop.call.post(f"training/runs/{run_id}/cancel")

    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    with shop.scope():
        for step in (
            lambda: runs.renew(held),
            lambda: runs.report(held, 0.6, "On."),
            lambda: runs.complete(held, MADE),
        ):
            with pytest.raises(runs.RunCancelled):
                step()
        runs.fail(held, Run.State.CANCELLED, "Cancelled.")
        assert not ModelVersion.objects.exists()
    assert state(shop, run_id) == "cancelled"
    assert log_of(shop, run_id) == ["Queued.", "Half-way.", "Cancelled."]
