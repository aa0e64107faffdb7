"""Training over the API: from a request to a live version, and to all the other ends."""

import pytest

from saas.billing.models import Quota
from saas.training import store
from tests.billing.test_usage import totals
from tests.training import phrases


def train(business, worked_off, kind: str = "intent") -> dict:
    """A run as it stands once its worker is done."""
    with worked_off():
        started = business.call.post("training/runs", {"kind": kind})
        assert started.status_code == 202, started.content
    return business.call.get(f"training/runs/{started.json()['id']}").json()


def log_of(business, run_id: str) -> list[str]:
    answer = business.call.get(f"training/runs/{run_id}/log")
    assert answer.status_code == 200, answer.content
    return [line["line"] for line in answer.json()["results"]]


def versions(business) -> dict[int, dict]:
    return {row["number"]: row for row in business.call.get("versions").json()["results"]}


def test_a_run_is_queued_and_says_so(shop) -> None:
    answer = shop.call.post("training/runs", {"kind": "intent"})
    run = answer.json()
    assert answer.status_code == 202
    assert (run["state"], run["progress"], run["attempt"]) == ("queued", 0, 0)
    assert shop.call.get(f"training/runs/{run['id']}").json() == run
    assert shop.call.get("training/runs").json()["results"] == [run]
    assert log_of(shop, run["id"]) == ["Queued."]


def test_a_second_run_of_the_kind_has_to_wait(shop) -> None:
    first = shop.call.post("training/runs", {"kind": "intent"}).json()
    second = shop.call.post("training/runs", {"kind": "intent"})
    assert (second.status_code, second.json()["code"]) == (409, "run_open")
    assert first["id"] in second.json()["detail"]


def test_two_kinds_and_two_tenants_run_side_by_side(shop, bank) -> None:
    for business in (shop, bank):
        for kind in ("intent", "recommend"):
            assert business.call.post("training/runs", {"kind": kind}).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "magic"},
        {"kind": "intent", "epochs": 3},
        [],
        {"kind": "intent", "options": {"epochs": 3}},
        {"kind": "recommend", "options": {"precision": 0.9}},
    ],
)
def test_there_is_no_such_run(body, shop) -> None:
    assert shop.call.post("training/runs", body).status_code == 400
    assert totals(shop) == {}


def test_an_instant_run_keeps_to_a_stated_precision(shop, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    body = {"kind": "intent", "options": {"precision": 0.99, "recall": 0.9}}
    with worked_off():
        started = shop.call.post("training/runs", body)
        assert started.status_code == 202, started.content
    assert versions(shop)[1]["metrics"]["precision"] >= 0.99


def test_only_a_run_that_made_a_version_is_billed(shop, worked_off) -> None:
    failed = train(shop, worked_off)  # there are no examples
    assert (failed["state"], totals(shop)) == ("failed", {})
    cancelled = shop.call.post("training/runs", {"kind": "intent"}).json()
    shop.call.post(f"training/runs/{cancelled['id']}/cancel")
    with shop.scope():
        assert Quota.objects.get(kind="training_run").used == 0
    shop.call.post("examples", phrases.rows())
    assert train(shop, worked_off)["state"] == "succeeded"
    assert totals(shop) == {"training_run": 1}
    with shop.scope():
        assert Quota.objects.get(kind="training_run").used == 1


def test_from_examples_to_a_live_version(shop, worked_off) -> None:
    shop.call.post("examples", phrases.rows())

    run = train(shop, worked_off)

    assert (run["state"], run["progress"], run["error"]) == ("succeeded", 1.0, "")
    assert run["started_at"] <= run["finished_at"]
    lines = log_of(shop, run["id"])
    assert lines[:2] == ["Queued.", "Reading."]
    assert "24 examples" in lines[2]
    assert lines[-1] == "Version 1 is live."
    version = versions(shop)[1]
    assert (version["id"], version["active"], version["parent"]) == (run["id"], True, None)
    assert 0 <= version["metrics"]["accuracy"] <= 1
    assert shop.call.get(f"versions/{run['id']}").json() == version
    answer = shop.call.post("chat/messages", {"text": "Where is my parcel?"}).json()["answer"]
    assert answer["intent"] == "order_status"


def test_the_same_examples_have_the_same_fingerprint(shop, bank, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    bank.call.post("examples", phrases.rows()[::-1])
    train(shop, worked_off)
    train(bank, worked_off)
    assert versions(shop)[1]["fingerprint"] == versions(bank)[1]["fingerprint"]


@pytest.mark.parametrize("kind", ["intent", "recommend"])
def test_without_data_a_run_says_what_is_missing(kind: str, shop, worked_off) -> None:
    run = train(shop, worked_off, kind)
    assert run["state"] == "failed"
    assert run["error"].startswith("there are no")
    assert "train again" in run["error"]
    assert log_of(shop, run["id"])[-1] == run["error"]
    assert versions(shop) == {}
    assert shop.call.post("training/runs", {"kind": kind}).status_code == 202


def test_a_worse_version_is_kept_but_not_live(shop, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    good = train(shop, worked_off)
    assert shop.call.post("examples", phrases.mixed_up()).json()["updated"] > 0

    worse = train(shop, worked_off)

    assert worse["state"] == "succeeded"
    first, second = versions(shop)[1], versions(shop)[2]
    assert (first["active"], second["active"]) == (True, False)
    assert second["parent"] == good["id"]
    assert second["note"].startswith("Not live: accuracy")
    assert log_of(shop, worse["id"])[-1] == second["note"]


def test_going_live_by_hand_and_back_again(shop, worked_off) -> None:
    shop.call.post("examples", phrases.rows())
    good = train(shop, worked_off)
    shop.call.post("examples", phrases.mixed_up())
    worse = train(shop, worked_off)

    for chosen, other in ((worse, good), (good, worse)):
        answer = shop.call.post(f"versions/{chosen['id']}/activate")
        assert (answer.status_code, answer.json()["active"]) == (200, True)
        assert shop.call.get(f"versions/{other['id']}").json()["active"] is False
    answer = shop.call.post("chat/messages", {"text": "Where is my parcel?"}).json()["answer"]
    assert answer["intent"] == "order_status"


def test_chat_goes_on_when_the_files_of_the_live_version_are_gone(
    shop, worked_off, settings, tmp_path
) -> None:
    shop.call.post("examples", phrases.rows())
    train(shop, worked_off)
    settings.ARTIFACTS = tmp_path / "elsewhere"
    store._load.cache_clear()  # as a process that has not served this model yet
    answer = shop.call.post("chat/messages", {"text": "Where is my parcel?"})
    assert (answer.status_code, answer.json()["answer"]["intent"]) == (200, None)


def test_a_version_without_its_files_does_not_go_live(shop, worked_off, settings, tmp_path) -> None:
    shop.call.post("examples", phrases.rows())
    run = train(shop, worked_off)
    settings.ARTIFACTS = tmp_path / "elsewhere"
    answer = shop.call.post(f"versions/{run['id']}/activate")
    assert (answer.status_code, answer.json()["code"]) == (409, "version_gone")
