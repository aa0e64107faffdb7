"""Knowledge: what is written answers, what is changed or deleted does not any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from saas.chat import answers, retrieval

BATTERIES = {"question": "Do you ship batteries?", "answer": "Yes, by road only.", "language": "en"}


def ask(business: Any, text: str, **more: Any) -> Any:
    answer = business.call.post("chat/messages", {"text": text, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()["answer"]


def write(business: Any, worked_off: Any, *pairs: dict[str, str]) -> Any:
    with worked_off():
        return business.call.post("knowledge", list(pairs)).json()


def test_a_new_answer_to_a_question_is_given_at_once(shop, worked_off) -> None:
    write(shop, worked_off, BATTERIES)
    assert ask(shop, "Can batteries be shipped?")["text"] == "Yes, by road only."

    changed = write(shop, worked_off, BATTERIES | {"answer": "No, not any more."})

    assert changed["updated"] == 1
    assert ask(shop, "Can batteries be shipped?")["text"] == "No, not any more."


def test_a_deleted_pair_answers_no_more(shop, worked_off) -> None:
    write(shop, worked_off, BATTERIES)
    assert ask(shop, "Can batteries be shipped?")["kind"] == "passage"
    (pair,) = shop.call.get("knowledge").json()["results"]

    assert shop.call.delete(f"knowledge/{pair['id']}").status_code == 204

    assert ask(shop, "Can batteries be shipped?")["kind"] == "fallback"
    assert shop.call.get(f"knowledge/{pair['id']}").status_code == 404


def test_a_pair_answers_as_soon_as_it_has_its_vector(
    shop, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks():
        shop.call.post("knowledge", [BATTERIES])

    assert ask(shop, "Can batteries be shipped?")["kind"] == "fallback"


def test_a_pair_that_is_changed_while_it_is_searched_is_not_found_by_half(shop, worked_off) -> None:
    """The plan is older than the change, as an answer's is that was begun just before."""
    write(shop, worked_off, BATTERIES)
    with shop.scope():
        plan = answers.plan(uuid4())
        sought = plan.sought(plan.read(["Can batteries be shipped?"])[0])
        assert retrieval.search(sought, 1, live=plan.live)
    shop.call.post("knowledge", [BATTERIES | {"answer": "No, not any more."}])
    with shop.scope():
        assert retrieval.search(sought, 1, live=plan.live) == []


def test_the_same_pair_again_changes_nothing(shop, worked_off) -> None:
    write(shop, worked_off, BATTERIES)

    assert write(shop, worked_off, BATTERIES)["unchanged"] == 1
    assert ask(shop, "Can batteries be shipped?")["kind"] == "passage"


def test_another_tenants_knowledge_never_answers(shop, bank, worked_off) -> None:
    write(shop, worked_off, BATTERIES)

    answer = ask(bank, BATTERIES["question"])

    assert answer["kind"] == "fallback"
    assert answer["sources"] == []


def test_the_answer_to_what_nobody_knows_is_in_the_language_asked_for(shop) -> None:
    assert "不太确定" in ask(shop, "Who won the match?", language="zh")["text"]
    assert "not sure" in ask(shop, "谁赢了比赛", language="en")["text"]
    assert "不太确定" in ask(shop, "谁赢了比赛")["text"]


def test_what_was_stored_while_the_queue_was_away_is_caught_up_with(
    shop, worked_off, django_capture_on_commit_callbacks
) -> None:
    from saas.chat.tasks import catch_up

    with django_capture_on_commit_callbacks():
        shop.call.post("knowledge", [BATTERIES])

    catch_up()

    assert ask(shop, "Can batteries be shipped?")["kind"] == "passage"


def test_a_code_is_found_by_its_letters(shop, worked_off) -> None:
    lamps = [
        {"question": f"What does lamp XR-{n} cost?", "answer": f"{n} euro."}
        for n in range(200, 230)
    ]
    write(shop, worked_off, *lamps)

    assert ask(shop, "XR-217 price")["text"] == "217 euro."


def test_what_is_known_of_another_product_is_left_out(shop, worked_off) -> None:
    pro = BATTERIES | {"question": "Are batteries shipped for the Pro?", "product": "Pro"}
    write(shop, worked_off, pro | {"answer": "Not for the Pro."}, BATTERIES)
    question = "Are batteries shipped for the Pro?"

    assert ask(shop, question, product="pro")["text"] == "Not for the Pro."
    assert ask(shop, question)["text"] == "Not for the Pro."
    assert ask(shop, question, product="Lite")["text"] == BATTERIES["answer"]


def test_what_is_for_some_is_told_to_nobody_else(shop, worked_off) -> None:
    write(shop, worked_off, BATTERIES | {"audience": "dealers"})

    assert ask(shop, BATTERIES["question"])["kind"] == "fallback"
    assert ask(shop, BATTERIES["question"], audience="guests")["kind"] == "fallback"
    assert ask(shop, BATTERIES["question"], audience="Dealers")["kind"] == "passage"


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        ({"valid_from": 0, "valid_until": 0}, "passage"),
        ({"valid_from": 1}, "fallback"),
        ({"valid_until": -1}, "fallback"),
        ({"valid_until": 3}, "passage"),
    ],
)
def test_knowledge_answers_from_its_first_day_to_its_last(shop, worked_off, days, kind) -> None:
    today = timezone.now().date()
    dated = {name: str(today + timedelta(days=n)) for name, n in days.items()}
    write(shop, worked_off, BATTERIES | dated)

    assert ask(shop, BATTERIES["question"])["kind"] == kind


def test_days_in_the_wrong_order_are_refused(shop, worked_off) -> None:
    days = {"valid_from": "2026-02-01", "valid_until": "2026-01-01"}
    (row,) = write(shop, worked_off, BATTERIES | days)["rows"]

    assert row["status"] == "failed"
    assert "exchange them" in str(row["errors"])


def test_a_question_is_answered_from_a_source_in_the_other_language(shop, worked_off) -> None:
    sofa = {"question": "这款沙发有什么颜色？", "answer": "灰色和蓝色。", "language": "zh"}
    write(shop, worked_off, sofa, BATTERIES)

    english = ask(shop, "Which colours does the sofa come in?")
    chinese = ask(shop, "可以邮寄电池吗？")

    assert english["text"] == "I found this in Chinese:\n灰色和蓝色。"
    assert cited(english) == ["灰色和蓝色。"]
    assert chinese["text"] == f"找到以下英文资料：\n{BATTERIES['answer']}"
    assert cited(chinese) == [BATTERIES["answer"]]


def cited(answer: dict) -> list[str]:
    """The parts of an answer that rest on its sources: each is a quotation here."""
    sources = {source["id"] for source in answer["sources"]}
    assert {citation["source"] for citation in answer["citations"]} <= sources
    parts = [answer["text"][c["start"] : c["end"]] for c in answer["citations"]]
    assert parts == [citation["quote"] for citation in answer["citations"]]
    return parts


def test_who_only_opens_the_page_cannot_claim_an_audience(shop, stranger, worked_off) -> None:
    write(shop, worked_off, BATTERIES | {"audience": "dealers"})
    body = {"name": "page", "kind": "pk", "origins": ["https://shop.example"]}
    public = shop.call.post("keys", body).json()["secret"]
    headers = {"Authorization": f"Bearer {public}", "Origin": "https://shop.example"}
    asked = {"text": BATTERIES["question"]}

    claimed = stranger("POST", "chat/messages", asked | {"audience": "dealers"}, **headers)
    plain = stranger("POST", "chat/messages", asked, **headers)

    assert (claimed.status_code, plain.json()["answer"]["kind"]) == (403, "fallback")
