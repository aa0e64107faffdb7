"""What happens in conversations is told to the tenant's webhooks, signed, and only if it happened."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis
from standardwebhooks.webhooks import Webhook as Checker
from standardwebhooks.webhooks import WebhookVerificationError

from saas.chat import feedback
from saas.webhooks.models import Event
from tenants.scope import tenant_scope
from tests.webhooks.conftest import make


@pytest.fixture
def do(shop: Any, worked_off: Any) -> Any:
    def do(path: str, body: Any = None) -> Any:
        with worked_off():
            answer = shop.call.post(path, body)
        assert answer.status_code in (200, 201), answer.content
        return answer.json()

    return do


def test_a_message_and_its_answer_are_told_in_order(hook, do) -> None:
    told = do("chat/messages", {"text": "我的快递到哪了？"})

    asked, answered = hook.heard()
    assert asked["type"] == answered["type"] == "message.created"
    assert asked["data"]["text"] == "我的快递到哪了？"
    assert [m["data"]["author"] for m in (asked, answered)] == ["customer", "bot"]
    assert answered["data"]["id"] == told["message_id"]
    assert answered["data"]["text"] == told["answer"]["text"]
    assert asked["data"]["conversation_id"] == told["conversation_id"]


def test_a_hand_off_is_told_step_by_step(hook, do) -> None:
    talk = do("chat/messages", {"text": "human please", "customer": "C-1"})["conversation_id"]
    assert hook.types() == ["message.created", "message.created", "hand_off.requested"]
    (waiting,) = hook.business.call.get("inbox").json()["results"]

    do(f"inbox/{waiting['id']}/take", {"agent": "mei"})
    do(f"inbox/{waiting['id']}/messages", {"agent": "mei", "text": "Mei here."})
    do("chat/messages", {"text": "thank you", "conversation_id": talk})
    do(f"inbox/{waiting['id']}/close", {"agent": "mei"})

    taken, said, thanked, ended, closed = hook.heard()
    assert (taken["type"], taken["data"]["agent"]) == ("hand_off.taken", "mei")
    assert taken["data"]["customer"] == "C-1"
    assert (said["data"]["author"], said["data"]["text"]) == ("agent", "Mei here.")
    assert thanked["data"]["author"] == "customer"
    assert (ended["type"], ended["data"]["id"]) == ("hand_off.ended", waiting["id"])
    assert (closed["type"], closed["data"]["conversation_id"]) == ("conversation.closed", talk)


def test_feedback_and_ratings_are_told(hook, do) -> None:
    told = do("chat/messages", {"text": "hello"})
    hook.heard()

    do(f"messages/{told['message_id']}/feedback", {"helpful": False, "comment": "No."})
    do(f"conversations/{told['conversation_id']}/rating", {"score": 2})
    do(f"conversations/{told['conversation_id']}/close")

    given, rated, closed = hook.heard()
    assert (given["type"], given["data"]["helpful"]) == ("feedback.given", False)
    assert given["data"]["message_id"] == told["message_id"]
    assert (rated["type"], rated["data"]["score"]) == ("rating.given", 2)
    assert closed["type"] == "conversation.closed"


def test_a_webhook_hears_of_what_it_asked_for_only(shop, bank, site, worked_off, do) -> None:
    hook = make(shop, site, worked_off, events=["rating.given"])
    other = make(bank, site, worked_off)

    talk = do("chat/messages", {"text": "hello"})["conversation_id"]
    do(f"conversations/{talk}/rating", {"score": 5})

    assert hook.types() == ["rating.given"]
    assert other.deliveries() == []
    with shop.scope():
        assert Event.objects.count() == 1  # what nobody listens for is not kept


def test_what_was_rolled_back_is_not_told(hook, do, shop, worked_off) -> None:
    talk = do("chat/messages", {"text": "hello"})["conversation_id"]
    hook.heard()

    def rate_and_break() -> None:
        with tenant_scope(shop.id):
            feedback.rate(talk, score=5, comment="")
            raise ZeroDivisionError

    with worked_off(), pytest.raises(ZeroDivisionError):
        rate_and_break()
    hook.later()

    assert hook.heard() == []


def test_what_was_written_while_the_queue_was_away_is_told_later(hook, shop) -> None:
    shop.call.post("chat/messages", {"text": "hello"})
    assert hook.heard() == []

    hook.later()

    assert hook.types() == ["message.created", "message.created"]


def test_a_signature_is_of_the_body_the_id_and_the_secret(hook, do, site) -> None:
    do("chat/messages", {"text": "hello"})
    call = site.posted[0]
    other = make(hook.business, site, hook.worked_off)

    assert call.headers["content-type"] == "application/json"
    assert call.headers["webhook-id"] in {d["event_id"] for d in hook.deliveries()}
    for secret, headers, body in [
        (other.secret, call.headers, call.body),
        (hook.secret, call.headers, call.body.replace(b"hello", b"hallo")),
        (hook.secret, call.headers | {"webhook-id": "another"}, call.body),
    ]:
        with pytest.raises(WebhookVerificationError):
            Checker(secret).verify(body, headers)
    assert set(json.loads(call.body)) == {"type", "timestamp", "data"}


def test_no_training_stands_before_them_in_their_queue(
    shop, settings, django_capture_on_commit_callbacks
) -> None:
    webhook = shop.call.post("webhooks", {"url": "https://shop.example/hook"}).json()["id"]
    with django_capture_on_commit_callbacks(execute=True):
        shop.call.post("training/runs", {"kind": "intent"})
        shop.call.post(f"webhooks/{webhook}/test")

    broker = redis.Redis.from_url(settings.REDIS_URL)
    sent = {
        queue: [
            told["task"]
            for told in (json.loads(message)["headers"] for message in broker.lrange(queue, 0, -1))
            if str(shop.id) in told["argsrepr"]
        ]
        for queue in settings.CELERY_TASK_QUEUES
    }
    assert sent == {
        "celery": ["saas.training.tasks.train"],
        "webhooks": ["saas.webhooks.tasks.deliver"],
    }
