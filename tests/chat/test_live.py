"""Hints of what happens in a conversation, on a real Redis and only after the commit."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections, transaction

from saas.chat import live
from saas.chat.live import AGAIN, Hint
from tests.conftest import found

WITHIN = 20


class Follower:
    """Follows, and has heard the first hint: from then on nothing is missed."""

    def __init__(self, tenant_id: UUID, conversation_id: UUID | None = None) -> None:
        self.hints = live.follow(tenant_id, conversation_id=conversation_id)

    async def next(self) -> Hint:
        async with asyncio.timeout(WITHIN):
            while (hint := await anext(self.hints)) is None:
                pass
        return hint

    async def __aenter__(self) -> Follower:
        assert (await self.next()).name == AGAIN
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.hints.aclose()


def told(business: Any, conversation: UUID, *names: str, fail: bool = False) -> None:
    try:
        with business.scope():
            for name in names:
                live.tell(conversation, name, by="mei")
            if fail:
                raise LookupError
    except LookupError:
        pass
    finally:
        connections.close_all()


@pytest.mark.usefixtures("committed")
def test_a_hint_comes_after_the_commit_and_to_the_tenant_alone() -> None:
    shop, bank, one, other = found("shop"), found("bank"), uuid4(), uuid4()
    tell = sync_to_async(told)

    async def scene() -> None:
        async with Follower(shop.id, one) as mine, Follower(shop.id) as desk:
            await tell(shop, one, "lost", fail=True)  # rolled back: never told
            await tell(bank, one, "foreign")
            await tell(shop, other, "typing")
            await tell(shop, one, "message")
            assert await mine.next() == Hint("message", str(one), {"by": "mei"})
            assert [(await desk.next()).name for _ in range(2)] == ["typing", "message"]

    asyncio.run(scene())


@pytest.mark.usefixtures("committed")
def test_after_redis_was_away_followers_are_told_to_read_again() -> None:
    shop, one = found("shop"), uuid4()

    def hang_up() -> None:
        client = redis.Redis.from_url(settings.REDIS_URL)
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        client.close()

    async def scene() -> None:
        async with Follower(shop.id, one) as mine:
            await asyncio.to_thread(hang_up)
            assert (await mine.next()).name == AGAIN
            await sync_to_async(told)(shop, one, "message")
            assert (await mine.next()).name == "message"

    asyncio.run(scene())


def test_without_redis_nothing_is_told_and_nothing_fails(committed: None, settings: Any) -> None:
    shop = found("shop")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with shop.scope(), transaction.atomic():
        live.tell(uuid4(), "message")
