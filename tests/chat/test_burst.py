"""200 messages of one conversation, or one visitor, in a second: each is answered whole or refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from saas.billing.models import Quota, Reservation, UsageRecord
from saas.chat.models import Message
from tests.billing.test_parallel_calls import at_once
from tests.conftest import Caller, found

THREADS, EACH, ALLOWED = 8, 25, 30


@pytest.mark.parametrize("of", ["conversation_id", "customer"])
def test_200_messages_at_once_are_answered_whole_or_refused(of: str, committed, settings) -> None:
    settings.MESSAGE_LIMIT = f"{ALLOWED}/day"  # a minute could end meanwhile
    shop, numbers = found("shop"), iter(range(THREADS * EACH))
    shop.call("PUT", "inbox/policy", {"unsure_after": 0})  # nobody is asked to take over
    who: dict[str, str] = {"customer": "mei"}
    if of == "conversation_id":
        first = shop.call.post("chat/messages", {"text": "Hi"}).json()
        who = {of: first["conversation_id"]}

    def send() -> list[tuple[str, Any]]:
        caller, sent = Caller(shop.secret), []
        for _ in range(EACH):
            text = f"Do you have chair number {next(numbers)}?"
            sent.append((text, caller.post("chat/messages", who | {"text": text})))
        return sent

    sent = [pair for part in at_once(THREADS, send) for pair in part]

    assert Counter(answer.status_code for _, answer in sent) == {
        200: ALLOWED,
        429: THREADS * EACH - ALLOWED,
    }
    for _, answer in sent:
        if answer.status_code == 429:
            assert answer.json()["code"] == "too_many_messages"
            assert 1 <= int(answer.headers["Retry-After"]) <= 24 * 3600
    answered = {
        answer.json()["message_id"]: text for text, answer in sent if answer.status_code == 200
    }
    began = 1 if of == "conversation_id" else 0
    with shop.scope():
        stored = list(Message.objects.order_by("conversation", "created_at"))
        assert UsageRecord.objects.count() == ALLOWED + began
        quota = Quota.objects.get(kind="chat_message")
        assert (quota.used, quota.reserved) == (ALLOWED + began, 0)
        assert not Reservation.objects.exists()
    pairs = list(zip(stored[::2], stored[1::2], strict=True))
    assert all((asked.author, told.author) == ("customer", "bot") for asked, told in pairs)
    assert all(asked.conversation_id == told.conversation_id for asked, told in pairs)
    told = {str(told.id): asked.text for asked, told in pairs if asked.text != "Hi"}
    assert told == answered
