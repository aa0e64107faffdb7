"""kill -9 of the worker in mid-run: the run is taken up again and makes exactly one version."""

import pytest

from tests.live.conftest import eventually

pytestmark = pytest.mark.live

INTENTS, PHRASINGS = 20, 25


def test_a_run_survives_the_death_of_its_worker(business, worker) -> None:
    _write_examples(business)
    run_id = business.call.post("training/runs", {"kind": "intent"}).json()["id"]

    def run() -> dict:
        return business.call.get(f"training/runs/{run_id}").json()

    first = worker()
    eventually(lambda: run()["progress"] > 0.1, log=first.log, process=first)
    first.kill()
    assert run()["state"] == "running", "the worker was quicker than the test"

    second = worker()
    eventually(lambda: run()["state"] not in ("queued", "running"), log=second.log, process=second)

    assert run()["state"] == "succeeded", run()
    assert run()["attempt"] == 2
    versions = business.call.get("versions").json()["results"]
    assert [(version["id"], version["active"]) for version in versions] == [(run_id, True)]
    lines = [
        line["line"] for line in business.call.get(f"training/runs/{run_id}/log").json()["results"]
    ]
    assert any("Taken up again" in line for line in lines)
    assert business.call.get("usage").json()["totals"]["training_run"] == 1


def _write_examples(business) -> None:
    """Enough text for the encoder to be busy for a while: long, and different everywhere."""
    rows = [
        {"text": f"subject {intent} said in way {phrase} " * 12, "intent": f"intent {intent}"}
        for intent in range(INTENTS)
        for phrase in range(PHRASINGS)
    ]
    result = business.call.post("examples", rows).json()
    assert result["created"] == len(rows)
