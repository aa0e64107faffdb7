"""Feedback: thumbs, ratings, and which conversations the bot may say that it resolved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.chat.models import Conversation, HandOff, Message
from tests.chat.test_handoffs import act, tell, waiting
from tests.chat.test_knowledge import BATTERIES, write

DAY = timedelta(days=1)


@pytest.fixture
def answered(shop: Any, worked_off: Any) -> Any:
    """Asks what the knowledge answers, and lets the conversation be over."""
    write(shop, worked_off, BATTERIES)

    def answered(text: str = BATTERIES["question"], *, days: int = 2, **more: Any) -> Any:
        told = tell(shop, text, **more)
        then = timezone.now() - timedelta(days=days)
        with shop.scope():
            talk = Conversation.objects.filter(id=told["conversation_id"])
            talk.update(created_at=then, updated_at=then)
        return told

    return answered


def outcomes(business: Any, query: str = "") -> Any:
    return business.call.get(f"outcomes{query}").json()


def test_the_last_word_on_an_answer_counts(shop) -> None:
    told = tell(shop, "Hello")
    for helpful in (True, False):
        body = {"helpful": helpful, "comment": "不对"}
        assert shop.call.post(f"messages/{told['message_id']}/feedback", body).status_code == 200

    (given,) = shop.call.get("feedback").json()["results"]
    assert (given["helpful"], given["comment"]) == (False, "不对")
    assert (outcomes(shop)["helpful"], outcomes(shop)["unhelpful"]) == (0, 1)


def test_only_answers_of_the_bot_are_judged(shop, bank) -> None:
    told = tell(shop, "Hello")
    with shop.scope():
        asked = Message.objects.get(author="customer")

    assert shop.call.post(f"messages/{asked.id}/feedback", {"helpful": True}).status_code == 404
    theirs = bank.call.post(f"messages/{told['message_id']}/feedback", {"helpful": True})
    assert theirs.status_code == 404
    assert bank.call.get("feedback").json()["results"] == []


def test_ratings_are_counted_once_a_conversation(shop) -> None:
    for score, again in ((1, 2), (5, 5)):
        talk = tell(shop, "Hello")["conversation_id"]
        for given in (score, again):
            rated = shop.call.post(f"conversations/{talk}/rating", {"score": given})
            assert rated.status_code == 200

    assert (outcomes(shop)["ratings"], outcomes(shop)["csat"]) == (2, 3.5)
    assert shop.call.post(f"conversations/{talk}/rating", {"score": 6}).status_code == 400


def test_an_answer_that_nobody_complained_of_resolved_it(shop, answered) -> None:
    answered()

    found = outcomes(shop)
    assert (found["conversations"], found["over"], found["resolved_by_bot"]) == (1, 1, 1)


def test_what_is_not_over_is_not_resolved_yet(shop, answered) -> None:
    answered(days=0)

    assert (outcomes(shop)["over"], outcomes(shop)["resolved_by_bot"]) == (0, 0)


def test_the_bot_claims_nothing_that_it_left_open(shop, answered) -> None:
    answered("Who won the match?")
    disliked = answered()
    shop.call.post(f"messages/{disliked['message_id']}/feedback", {"helpful": False})
    poor = answered()
    shop.call.post(f"conversations/{poor['conversation_id']}/rating", {"score": 2})
    came_back = {"customer": "C9"}
    answered(**came_back)
    answered(**came_back)

    found = outcomes(shop)
    assert found["over"] == 5
    assert found["resolved_by_bot"] == 0 + 1  # the customer's second conversation


def test_who_was_with_a_person_was_not_resolved_by_the_bot(shop, answered) -> None:
    talk = answered()["conversation_id"]
    tell(shop, "转人工", talk)
    (entry,) = waiting(shop)
    act(shop, entry["id"], "take")
    act(shop, entry["id"], "close")

    found = outcomes(shop)
    assert (found["over"], found["handed_off"], found["resolved_by_bot"]) == (1, 1, 0)
    assert found["seconds_to_person"] >= 0
    assert found["seconds_to_end"] >= found["seconds_to_person"]
    assert found["seconds_to_reply"] is None


def test_a_reply_counts_for_the_request_that_it_followed(shop, answered) -> None:
    talk = answered()["conversation_id"]
    for reply in (False, True):
        tell(shop, "转人工", talk)
        (entry,) = waiting(shop)
        act(shop, entry["id"], "take")
        if reply:
            act(shop, entry["id"], "messages", text="Hello")
        act(shop, entry["id"], "hand-back")
    with shop.scope():
        first, second = HandOff.objects.order_by("requested_at")
        HandOff.objects.filter(id=first.id).update(requested_at=first.requested_at - DAY)
        reply = Message.objects.get(author="agent")

    waited = (reply.created_at - second.requested_at).total_seconds()
    assert outcomes(shop)["seconds_to_reply"] == pytest.approx(waited)


def test_only_what_began_in_the_time_is_counted(shop, answered) -> None:
    answered(days=10)

    day = timezone.now().date() - timedelta(days=10)
    after = day + timedelta(days=1)
    assert outcomes(shop)["conversations"] == 1
    assert outcomes(shop, f"?first={after}")["conversations"] == 0
    assert outcomes(shop, f"?first={day}&last={day}")["conversations"] == 1
    wrong = shop.call.get(f"outcomes?first={after}&last={day}")
    assert (wrong.status_code, "exchange them" in wrong.json()["detail"]) == (400, True)
