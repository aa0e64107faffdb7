"""A run outlives its worker: taken up again, and closed to the one that was believed dead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from saas.training import runs, store, tasks
from saas.training.models import ModelVersion, Run
from tests.training import phrases
from tests.training.test_runs import log_of

MADE = store.Made(metrics={}, fingerprint="", encoder="none")


@pytest.fixture
def run_id(shop) -> str:
    return shop.call.post("training/runs", {"kind": "intent"}).json()["id"]


def run_of(business, run_id: str) -> dict:
    return business.call.get(f"training/runs/{run_id}").json()


def take(business, run_id: str) -> Run | None:
    with business.scope():
        return runs.take(run_id)


def lapse(business, run_id: str) -> None:
    """The lease runs out."""
    with business.scope():
        past = timezone.now() - timedelta(seconds=1)
        Run.objects.filter(id=run_id).update(lease_until=past)


def test_only_one_worker_holds_a_run(shop, run_id) -> None:
    assert take(shop, run_id).attempt == 1
    assert take(shop, run_id) is None


def test_a_held_run_is_left_alone(shop, run_id, django_capture_on_commit_callbacks) -> None:
    take(shop, run_id)
    with django_capture_on_commit_callbacks() as queued:
        tasks.take_up()
    assert queued == []


def test_a_dead_workers_run_is_done_by_another(shop, run_id, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    dead = take(shop, run_id)
    lapse(shop, run_id)

    with worked_off():
        tasks.take_up()

    assert (run_of(shop, run_id)["state"], run_of(shop, run_id)["attempt"]) == ("succeeded", 2)
    assert "Taken up again after attempt 1 was interrupted." in log_of(shop, run_id)
    lines = log_of(shop, run_id)
    with shop.scope():
        for step in (
            lambda: runs.renew(dead),
            lambda: runs.report(dead, 0.1, "I am back."),
            lambda: runs.complete(dead, MADE),
        ):
            with pytest.raises(runs.RunLost):
                step()
        runs.fail(dead, Run.State.FAILED, "I broke.")
        assert ModelVersion.objects.count() == 1
    assert log_of(shop, run_id) == lines
    assert run_of(shop, run_id)["state"] == "succeeded"


def test_a_lost_message_is_sent_again(shop, run_id, worked_off) -> None:
    lapse(shop, run_id)
    with worked_off():
        tasks.take_up()
    assert (run_of(shop, run_id)["state"], run_of(shop, run_id)["attempt"]) == ("failed", 1)


def test_a_report_keeps_the_run(shop, run_id) -> None:
    held = take(shop, run_id)
    lapse(shop, run_id)
    with shop.scope():
        runs.report(held, 2.0, "Still here.")
    assert take(shop, run_id) is None
    assert run_of(shop, run_id)["progress"] == 1.0


def test_a_run_that_always_kills_its_worker_is_given_up(shop, run_id) -> None:
    for attempt in range(1, runs.MAX_ATTEMPTS + 1):
        assert take(shop, run_id).attempt == attempt
        lapse(shop, run_id)
    assert take(shop, run_id) is None
    run = run_of(shop, run_id)
    assert run["state"] == "failed"
    assert run["error"].startswith("Given up after 5 attempts")
    assert shop.call.post("training/runs", {"kind": "intent"}).status_code == 202


def test_a_cancelled_run_of_a_dead_worker_ends(shop, run_id) -> None:
    take(shop, run_id)
    shop.call.post(f"training/runs/{run_id}/cancel")
    lapse(shop, run_id)
    assert take(shop, run_id) is None
    assert run_of(shop, run_id)["state"] == "cancelled"
