"""kill -9 of the web server under load: what was answered is stored and billed, and nothing else."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from saas.billing.models import Quota, UsageRecord
from saas.chat.models import Message
from tests.live.conftest import call, stream

pytestmark = pytest.mark.live


def test_every_answer_is_billed_once_and_nothing_is_half_written(business, web, port) -> None:
    server = web(port)
    some_answered = Event()
    answered: list[str] = []

    def asked(text: str) -> Any:
        code, body = call(port, business.secret, "POST", "chat/messages", {"text": text})
        assert code == 200, body
        return body

    def ask(number: int) -> None:
        try:
            body = (
                asked(f"Hi {number}") if number % 2 else stream(port, business.secret, f"{number}")
            )
        except (OSError, ValueError, http.client.HTTPException):
            return  # cut off by the kill
        answered.append(body["message_id"])
        if len(answered) >= 10:
            some_answered.set()

    with ThreadPoolExecutor(4) as callers:
        calls = [callers.submit(ask, number) for number in range(400)]
        assert some_answered.wait(60)
        server.kill()
        for done in calls:
            done.result()

    with business.scope():
        stored = {
            str(id_) for id_ in Message.objects.filter(author="bot").values_list("id", flat=True)
        }
        billed = set(UsageRecord.objects.values_list("key", flat=True))
        asked = Message.objects.filter(author="customer").count()
        quota = Quota.objects.get(kind="chat_message")
    assert 10 <= len(answered) < 400
    assert set(answered) <= stored
    assert billed == {f"message:{id_}" for id_ in stored}
    assert asked == len(stored)
    assert quota.used == len(stored)

    web(port)
    code, _ = call(port, business.secret, "POST", "chat/messages", {"text": "Back again?"})
    assert code == 200
