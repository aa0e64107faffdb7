"""Which agents look at a conversation, or type in it: known for some seconds, by name to colleagues alone."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import redis
import structlog

from saas import rates
from saas.chat import live
from saas.connection import redis_client
from tenants.scope import current_tenant_id

log = structlog.get_logger(__name__)
FRESH = 25  # seconds; a page says it again every ten
TYPING = "1 per 2 second"  # the most often that a customer is told so


def say(conversation_id: UUID, *, agent: str, typing: bool, answers: bool = False) -> None:
    """An agent is here; of who `answers` the customer sees that they type. Without Redis nobody does."""
    key = _key(conversation_id)
    try:
        with redis_client().pipeline() as pipe:
            pipe.zrem(key, f"{int(not typing)}{agent}")
            pipe.zadd(key, {f"{int(typing)}{agent}": time.time()})
            pipe.expire(key, FRESH)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("presence not kept", error=str(error))
    live.tell(conversation_id, "presence", agent=agent, typing=typing)
    if typing and answers and not rates.over(TYPING, f"typing:{_key(conversation_id)}"):
        live.tell(conversation_id, "typing", author="agent")


def others(conversation_id: UUID, *, than: str) -> dict[str, bool]:
    """Who else is here, and whether they type."""
    try:
        found: Any = redis_client().zrangebyscore(
            _key(conversation_id), time.time() - FRESH, "+inf"
        )
    except redis.RedisError as error:
        log.warning("presence not read", error=str(error))
        return {}
    present = {entry.decode()[1:]: entry.startswith(b"1") for entry in found}
    present.pop(than, None)
    return present


def _key(conversation_id: UUID) -> str:
    return f"desk:{current_tenant_id()}:{conversation_id}"
