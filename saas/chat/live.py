"""What happens in conversations, told at once to whoever follows them, in any process.

Hints may be lost, with Redis or with a process: the database is the truth. Who follows reads what is
new there at every hint. `AGAIN` is the first one, from which on hints are heard, and comes once more
where Redis had been away.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import structlog
from django.conf import settings
from django.db import transaction
from redis import asyncio as aioredis

from saas.connection import redis_client
from tenants.scope import current_tenant_id

log = structlog.get_logger(__name__)
CHANNEL = "live"
AGAIN = "again"
LEFT = "left"  # somebody may not follow any more; of no conversation
WAIT = 15.0  # seconds without a hint, after which a follower is told so
PAUSE = 1.0  # seconds before Redis is asked again
MOST = 64  # hints that wait for a slow follower: who gets one reads everything anyway


@dataclass(frozen=True, slots=True)
class Hint:
    """Something happened: `message`, `state`, `typing`, …"""

    name: str
    conversation_id: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def tell(conversation_id: UUID | None, name: str, **data: Any) -> None:
    """Tell who follows the current tenant's conversation, once this transaction is committed.

    What is of none is told to whom all of them are.
    """
    said = {"tenant": str(current_tenant_id()), "conversation": str(conversation_id or "")}
    said["name"] = name
    text = json.dumps(said | {"data": data}, default=str)

    def publish() -> None:
        _publish(text)

    transaction.on_commit(publish, robust=True)


async def follow(
    tenant_id: UUID, *, conversation_id: UUID | None = None
) -> AsyncIterator[Hint | None]:
    """Hints of one conversation, or of all of the tenant's; None whenever none came for a while."""
    hub = _hub()
    hints: asyncio.Queue[Hint] = asyncio.Queue(MOST)
    place = (str(tenant_id), str(conversation_id or ""))
    hub.join(place, hints)
    try:
        while True:
            hint = None
            with suppress(TimeoutError):
                hint = await asyncio.wait_for(hints.get(), WAIT)
            yield hint
    finally:
        hub.leave(place, hints)


def _publish(text: str) -> None:
    try:
        redis_client().publish(CHANNEL, text)
    except redis.RedisError as error:
        log.warning("hint lost", error=str(error))


class _Hub:
    """The followers in one event loop, on one connection to Redis."""

    def __init__(self) -> None:
        self._followers: dict[tuple[str, str], set[asyncio.Queue[Hint]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._listening = False

    def join(self, place: tuple[str, str], hints: asyncio.Queue[Hint]) -> None:
        self._followers.setdefault(place, set()).add(hints)
        if self._listening:
            _put(hints, Hint(AGAIN))
        if self._reader is None or self._reader.done():
            self._reader = asyncio.get_running_loop().create_task(self._read())

    def leave(self, place: tuple[str, str], hints: asyncio.Queue[Hint]) -> None:
        followers = self._followers.get(place, set())
        followers.discard(hints)
        if not followers:
            self._followers.pop(place, None)
        if not self._followers and self._reader:
            self._reader.cancel()
            self._reader = None

    async def _read(self) -> None:
        while True:
            try:
                await self._listen()
            except (redis.RedisError, OSError) as error:
                log.warning("hints not heard", error=str(error))
                await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        client: Any = aioredis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, health_check_interval=10
        )
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(CHANNEL)
                self._listening = True
                self._tell_all(Hint(AGAIN))
                while True:
                    message = await heard.get_message(timeout=5)
                    if message:
                        self._tell(json.loads(message["data"]))
        finally:
            self._listening = False
            await client.aclose()

    def _tell(self, said: dict[str, Any]) -> None:
        hint = Hint(said["name"], said["conversation"], said["data"])
        for conversation in {said["conversation"], ""}:
            for follower in self._followers.get((said["tenant"], conversation), ()):
                _put(follower, hint)

    def _tell_all(self, hint: Hint) -> None:
        for followers in self._followers.values():
            for follower in followers:
                _put(follower, hint)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, _Hub] = WeakKeyDictionary()


def _hub() -> _Hub:
    return _hubs.setdefault(asyncio.get_running_loop(), _Hub())


def _put(follower: asyncio.Queue[Hint], hint: Hint) -> None:
    with suppress(asyncio.QueueFull):
        follower.put_nowait(hint)
