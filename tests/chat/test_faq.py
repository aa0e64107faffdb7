"""Proposed knowledge: what people had to answer is proposed once, without personal data."""

from __future__ import annotations

from typing import Any

import pytest

from saas.chat import tasks
from tests.chat.test_handoffs import act, tell, waiting
from tests.chat.test_knowledge import ask

NORWAY = "How long does shipping to Norway take?"
SAME = "How long does it take to ship to Norway?"
NINE = "Parcels to Norway take nine days."


def helped(business: Any, question: str, *answers: str, score: int | None = None) -> str:
    """A conversation in which an agent answered a question; its id."""
    told = tell(business, question)
    conversation: str = told["conversation_id"]
    business.call.post(f"conversations/{conversation}/hand-off", {})
    (entry,) = waiting(business)
    act(business, entry["id"], "take")
    for answer in answers:
        assert act(business, entry["id"], "messages", text=answer).status_code == 201
    act(business, entry["id"], "close")
    if score:
        business.call.post(f"conversations/{conversation}/rating", {"score": score})
    return conversation


@pytest.fixture
def find(worked_off: Any) -> Any:
    """Has proposals found; returns the open ones."""

    def find(business: Any) -> Any:
        with worked_off():
            assert business.call.post("knowledge/proposals").status_code == 202
        return business.call.get("knowledge/proposals").json()["results"]

    return find


def test_what_people_answered_is_proposed_once(shop, find) -> None:
    first = helped(shop, SAME, "About nine days.")
    helped(shop, "我的会员积分什么时候到期？", "积分在每年年底到期。")
    second = helped(shop, NORWAY, "Hello, this is Mei.", f"{NINE} I will write to ann@mail.example")
    helped(shop, "Can I pay with cheques?", "Go away.", score=1)
    helped(shop, "Where is my order?", "Which order do you mean?")

    norway, points = find(shop)

    assert (norway["question"], norway["count"], norway["language"]) == (NORWAY, 2, "en")
    assert norway["answer"] == f"Hello, this is Mei.\n{NINE} I will write to <email>"
    assert set(norway["sources"]) == {first, second}
    assert (points["answer"], points["language"]) == ("积分在每年年底到期。", "zh")
    assert find(shop)[0]["question"] == NORWAY
    assert shop.call.get("knowledge").json()["results"] == []


def test_an_accepted_proposal_answers_as_it_was_edited(shop, find, worked_off) -> None:
    helped(shop, NORWAY, "nine days")
    (proposal,) = find(shop)

    with worked_off():
        path = f"knowledge/proposals/{proposal['id']}"
        accepted = shop.call.post(f"{path}/accept", {"answer": NINE, "source": "shipping"})

    assert accepted.json()["state"] == "accepted"
    told = ask(shop, NORWAY)
    assert (told["text"], told["sources"][0]["id"]) == (NINE, accepted.json()["passage"])
    assert shop.call.post(f"{path}/dismiss").status_code == 409
    helped(shop, SAME, "nine days still")
    assert find(shop) == []


def test_a_dismissed_proposal_is_not_made_again(shop, bank, find) -> None:
    helped(shop, NORWAY, NINE)
    (proposal,) = find(shop)
    assert find(bank) == []

    assert shop.call.post(f"knowledge/proposals/{proposal['id']}/dismiss").status_code == 200

    helped(shop, SAME, NINE)
    assert find(shop) == []


def test_a_proposal_says_what_the_knowledge_has_already(shop, find, worked_off) -> None:
    with worked_off():
        shop.call.post("knowledge", [{"question": SAME, "answer": "Eight days."}])
    helped(shop, NORWAY, NINE)

    (proposal,) = find(shop)

    (pair,) = shop.call.get("knowledge").json()["results"]
    assert proposal["passage"] == pair["id"]


def test_proposals_come_daily_where_agents_have_answered(shop, bank, worked_off) -> None:
    helped(shop, NORWAY, NINE)

    with worked_off():
        tasks.propose_daily()

    assert len(shop.call.get("knowledge/proposals").json()["results"]) == 1
    assert bank.call.get("knowledge/proposals").json()["results"] == []


def test_what_the_bot_refused_is_never_a_question_of_a_proposal(shop, find) -> None:
    shop.call("PUT", "safety/policy", {"abuse": {"action": "handoff"}})
    talk = tell(shop, NORWAY)["conversation_id"]
    assert tell(shop, "You are such an idiot", talk)["answer"]["kind"] == "refusal"
    (entry,) = waiting(shop)
    act(shop, entry["id"], "take")
    act(shop, entry["id"], "messages", text=NINE)
    act(shop, entry["id"], "close")

    (proposal,) = find(shop)

    assert (proposal["question"], proposal["answer"]) == (NORWAY, NINE)


PARAPHRASES = [
    {
        "Do you engrave names?": "Yes, up to twelve letters for 8 dollars.",
        "Can I have a name engraved on it?": "We do, it is 8 dollars and takes two more days.",
        "Is personalised engraving available?": "Yes, up to twelve letters for 8 dollars.",
    },
    {
        "打开过的酒还能退吗？": "开封的酒不支持退货。",
        "酒开封了可以退货吗": "不好意思，拆封后不能退。",
        "已经拆封的酒支持退吗": "您好，开封的酒不支持退货。",
    },
]
APART = {  # nearly in one another's words
    "How long does shipping to Norway take?": "About nine days.",
    "How long does shipping to Japan take?": "About nine days.",
    "这款红色的还会补货吗": "下周补货。",
    "这款蓝色的还会补货吗": "下周补货。",
}


def test_three_ways_to_ask_one_thing_are_one_proposal(shop, find) -> None:
    for said in zip(*(group.items() for group in PARAPHRASES), strict=True):
        for question, answer in said:
            helped(shop, question, answer)
    for question, answer in APART.items():
        helped(shop, question, answer)

    found = {row["question"]: (row["count"], row["answer"]) for row in find(shop)}

    latest = [list(group.items())[-1] for group in PARAPHRASES]
    assert found == {question: (3, answer) for question, answer in latest} | {
        question: (1, answer) for question, answer in APART.items()
    }
    (engraving,) = [row for row in find(shop) if "engraving" in row["question"]]
    shop.call.post(f"knowledge/proposals/{engraving['id']}/dismiss")
    assert not [row for row in find(shop) if "engrav" in row["question"]]
