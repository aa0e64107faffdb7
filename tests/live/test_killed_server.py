"""kill -9 of the web server under load: what was answered is stored and billed, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from saas.billing.models import Quota, UsageRecord
from saas.chat.models import Message
from tests.live.conftest import call

pytestmark = pytest.mark.live


def test_every_answer_is_billed_once_and_nothing_is_half_written(business, web, port) -> None:
    server = web(port)
    some_answered = Event()
    answered: list[str] = []

    def ask(number: int) -> None:
        try:
            code, body = call(
                port, business.secret, "POST", "chat/messages", {"text": f"Hi {number}"}
            )
        except (OSError, ValueError):
            return  # cut off by the kill
        assert code == 200, body
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
