"""From raw logs to a live bot, without a label written by hand."""

from __future__ import annotations

import json

import pytest

from tests.labelling import logs
from tests.test_bad_input import problem


@pytest.fixture
def discovered(shop, worked_off):
    shop.call.post("labelling/turns", logs.turns())
    with worked_off():
        started = shop.call.post("labelling/jobs", {"kind": "discover"})
    assert started.status_code == 202, started.content
    return shop


def listed(business, path):
    return business.call.get(path).json()["results"]


def test_raw_logs_become_a_bot_that_answers(discovered, worked_off) -> None:
    shop = discovered
    assert listed(shop, "labelling/jobs")[0]["state"] == "succeeded"
    found = listed(shop, "labelling/proposals")
    assert 2 <= len(found) <= 5
    assert any("parcel" in one["name"] for one in found)
    assert any("发票" in one["name"] for one in found)
    accepted = shop.call.post("labelling/proposals", {"quality": 0, "replies": True}).json()
    assert accepted["proposals"] == len(found)
    with worked_off():
        shop.call.post("training/runs", {"kind": "intent"})
    for answer, questions in logs.ASKED.items():
        said = shop.call.post("chat/messages", {"text": questions[0]}).json()
        assert answer in json.dumps(said, ensure_ascii=False)


def test_discovered_again_open_proposals_are_replaced(discovered, worked_off) -> None:
    shop = discovered
    first = listed(shop, "labelling/proposals")
    shop.call.post(f"labelling/proposals/{first[0]['id']}", {"action": "reject"})
    with worked_off():
        shop.call.post("labelling/jobs", {"kind": "discover"})
    again = listed(shop, "labelling/proposals")
    kept = {one["id"] for one in again} & {one["id"] for one in first}
    assert kept == {first[0]["id"]}
    assert len(again) > 1


def test_the_same_turns_again_change_nothing(shop) -> None:
    first = shop.call.post("labelling/turns", logs.turns()).json()
    again = shop.call.post("labelling/turns", logs.turns()).json()
    assert first["created"] == again["unchanged"] == len(logs.turns())


def test_a_file_with_other_names_of_columns_and_authors_is_taken(shop) -> None:
    csv = "session_id,role,message,timestamp\n"
    csv += "7,用户,我的快递呢,2026-03-01T10:00:00\n7,客服,在路上,2026-03-01 10:01\n"
    found = shop.call.upload("turns", "log.csv", csv.encode()).json()
    assert (found["created"], found["failed"]) == (2, 0), found


@pytest.mark.parametrize(
    "change",
    [{"author": "ghost"}, {"text": "x" * 100_000}, {"text": " "}, {"at": "yesterday"}],
    ids=["an unknown author", "a long text", "an empty text", "no time"],
)
def test_a_bad_turn_is_explained_and_keeps_no_other_back(change, shop) -> None:
    good = logs.turns()[0]
    done = shop.call.post("labelling/turns", [good | change, good]).json()
    assert (done["created"], done["failed"]) == (1, 1)
    assert done["rows"][0]["errors"][0]["field"] == next(iter(change))


@pytest.mark.parametrize(
    "texts",
    [[], ["hello"], ["same"] * 5, ["😀", "🎉🎉", "👍"]],
    ids=["none", "one", "equal", "emoji"],
)
def test_logs_that_hold_no_intent_propose_none(texts, shop, worked_off) -> None:
    row = logs.turns()[0]
    turns = [row | {"text": text, "conversation": str(n)} for n, text in enumerate(texts)]
    turns.append(logs.turns()[1])  # an agent's
    shop.call.post("labelling/turns", turns)
    with worked_off():
        shop.call.post("labelling/jobs", {"kind": "discover"})
    job = listed(shop, "labelling/jobs")[0]
    assert (job["state"], job["found"]) == ("succeeded", 0)


def test_proposals_are_renamed_merged_split_and_rejected(discovered) -> None:
    shop = discovered
    one, other = listed(shop, "labelling/proposals")[:2]
    at = f"labelling/proposals/{one['id']}"
    renamed = shop.call.post(at, {"action": "rename", "name": "包裹 where"}).json()
    assert renamed["name"] == "包裹 where"
    merged = shop.call.post(at, {"action": "merge", "other": other["id"]}).json()
    assert merged["size"] == one["size"] + other["size"]
    turns = listed(shop, f"{at}/turns")
    moved = [turn["id"] for turn in turns[:2]]
    split = shop.call.post(at, {"action": "split", "turns": moved, "name": "two"}).json()
    assert split["size"] == 2
    assert listed(shop, f"labelling/proposals/{split['id']}/turns")[0]["id"] in moved
    problem(shop.call.post(at, {"action": "split", "turns": moved, "name": "no"}), 400)
    assert shop.call.post(at, {"action": "reject"}).json()["state"] == "rejected"
    problem(shop.call.post(at, {"action": "accept"}), 409, "proposal_closed")


def test_a_disagreement_takes_the_example_back_until_it_is_resolved(shop, worked_off) -> None:
    shop.call.post("labelling/turns", logs.turns())
    with worked_off():
        shop.call.post("labelling/jobs", {"kind": "select"})
    turn = listed(shop, "labelling/queue")[0]
    label = {"turn": turn["id"], "intent": "parcel", "annotator": "Ann"}
    shop.call.post("labelling/labels", [label])
    assert [row["intent"] for row in listed(shop, "examples")] == ["parcel"]
    shop.call.post("labelling/labels", [label | {"annotator": "小王", "intent": "login"}])
    assert listed(shop, "examples") == []
    disputed = listed(shop, "labelling/disagreements")[0]
    assert {entry["annotator"] for entry in disputed["labels"]} == {"Ann", "小王"}
    agreement = shop.call.get("labelling/agreement").json()
    assert (agreement["turns"], agreement["alpha"]) == (1, 0.0)
    shop.call.post(f"labelling/turns/{turn['id']}", {"intent": "login"})
    assert [row["intent"] for row in listed(shop, "examples")] == ["login"]


def test_a_wrong_label_and_a_twin_are_found_and_mended(shop, worked_off) -> None:
    rows = [
        {"text": text, "intent": str(number)}
        for number, texts in enumerate(logs.ASKED.values())
        for text in texts
    ]
    rows[0]["intent"] = "1"
    rows.append({"text": "i forgot my password!", "intent": "1"})
    shop.call.post("examples", rows)
    with worked_off():
        shop.call.post("labelling/jobs", {"kind": "check"})
    found = {one["kind"]: one for one in reversed(listed(shop, "labelling/findings"))}
    assert (found["label"]["text"], found["label"]["other"]) == (rows[0]["text"], "0")
    for one in found.values():
        shop.call.post(f"labelling/findings/{one['id']}", {"state": "accepted"})
    now = {row["text"]: row["intent"] for row in listed(shop, "examples")}
    assert now[rows[0]["text"]] == "0"
    assert len(now) == len(rows) - 1
