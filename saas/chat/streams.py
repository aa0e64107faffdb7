"""The events of an answer under way, in Redis: one process writes them, any process may follow them.

A log outlives its end by `KEEP`, so that a reader who was cut off reads on. Until then it lives by the
lease that its writer renews: a log that is gone was some killed process's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
import structlog
from django.conf import settings
from redis import asyncio as aioredis

from saas.connection import redis_client
from saas.errors import Unavailable

logger = structlog.get_logger(__name__)
KEEP = 300  # seconds
LEASE = 10  # seconds
WAIT = 2.0  # seconds without an event, after which a reader is told so
ENDS = ("done", "error")
READER = "answer-reader"  # what Redis calls a connection that follows one
LOST = {
    "en": "The answer broke off. Please ask again.",
    "zh": "回答中断了，请再问一次。",
}
AWAY = (
    "Answers cannot be streamed right now. Ask without 'Accept: text/event-stream', or try again "
    "shortly."
)


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an answer. Ids count from 1; what a reader adds by itself has none."""

    name: str
    data: dict[str, Any]
    id: int | None = None


def failure(code: str, language: str) -> Event:
    """The end of an answer that did not come about, in words for the customer."""
    return Event("error", {"code": code, "detail": LOST[language]})


@dataclass(slots=True)
class Log:
    """The events of one answer of one tenant."""

    tenant_id: UUID
    message_id: UUID
    written: int = 0

    @property
    def key(self) -> str:
        return f"answer:{self.tenant_id}:{self.message_id}"

    def append(self, event: Event) -> None:
        """Add an event. Without Redis it is lost to the readers; the answer itself goes on."""
        self.written += 1
        entry: dict[Any, Any] = {
            "event": event.name,
            "data": json.dumps(event.data, ensure_ascii=False),
        }
        try:
            with redis_client().pipeline() as pipe:
                pipe.xadd(self.key, entry, id=f"{self.written}-0")
                pipe.expire(self.key, KEEP if event.name in ENDS else LEASE)
                pipe.execute()
        except redis.RedisError as error:
            logger.warning("event of an answer lost", error=str(error))

    def exists(self) -> bool:
        """Raises Unavailable without Redis."""
        try:
            return bool(redis_client().exists(self.key))
        except redis.RedisError as error:
            raise Unavailable(AWAY, code="no_streaming", wait=5) from error


async def follow(
    log: Log, first: Event | None = None, *, language: str = "en", after: int = 0
) -> AsyncIterator[Event | None]:
    """The events after that id as they come, to the last; None whenever none came for a while.

    Whoever has the first one gives it, to be told before Redis is asked.
    """
    if first:
        after = first.id or after
        yield first
    client: Any = aioredis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=1,
        socket_timeout=WAIT + 3,
        client_name=READER,
    )
    try:
        while True:
            found = await client.xread({log.key: f"{after}-0"}, block=int(WAIT * 1000))
            for entry in found[0][1] if found else ():
                event = _event(*entry)
                after = event.id or after
                yield event
                if event.name in ENDS:
                    return
            if found:
                continue
            last = await client.xrevrange(log.key, count=1)
            if not last:
                yield failure("interrupted", language)
                return
            if _event(*last[0]).name in ENDS:
                return
            yield None
    except redis.RedisError:
        yield failure("stream_lost", language)
    finally:
        await client.aclose()


def renew(logs: Iterable[Log]) -> None:
    """Say that their writer is at work."""
    try:
        with redis_client().pipeline() as pipe:
            for log in logs:
                pipe.expire(log.key, LEASE)
            pipe.execute()
    except redis.RedisError as error:
        logger.warning("leases of answers not renewed", error=str(error))


def check() -> None:
    """Raises Unavailable without Redis."""
    try:
        redis_client().ping()
    except redis.RedisError as error:
        raise Unavailable(AWAY, code="no_streaming", wait=5) from error


def _event(id_: bytes, entry: dict[bytes, bytes]) -> Event:
    number, _, _ = id_.partition(b"-")
    return Event(entry[b"event"].decode(), json.loads(entry[b"data"]), int(number))
