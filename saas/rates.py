"""Rate limits of keys, counted in Redis over fixed windows. Without Redis nobody is refused."""

import functools
import math
import time
from uuid import UUID

import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage

from saas.errors import Problem
from tenants.keys import Principal

log = structlog.get_logger(__name__)


class TooManyRequests(Problem):
    status_code = 429
    default_code = "rate_limited"


@functools.cache
def _storage(url: str) -> RedisStorage:
    return RedisStorage(
        url,
        key_prefix="rate",
        wrap_exceptions=True,
        socket_timeout=1,
        socket_connect_timeout=1,
    )


def count(principal: Principal) -> dict[str, str]:
    """Count one call; returns the RateLimit headers, raises TooManyRequests over the limit."""
    item = parse(settings.RATE_LIMIT)
    calls, wait = _count(item, str(principal.key_id))
    if calls > item.amount:
        raise TooManyRequests(
            f"More than {settings.RATE_LIMIT} calls with this key. Wait {wait} s.", wait=wait
        )
    if not calls:
        return {}
    return {
        "RateLimit-Policy": f'"key";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"key";r={item.amount - calls};t={wait}',
    }


def count_message(tenant_id: UUID, *, of: str) -> None:
    """Count one message of a conversation, or of a customer of the tenant's; nobody is named by "".

    Raises TooManyRequests over the limit.
    """
    item = parse(settings.MESSAGE_LIMIT)
    calls, wait = _count(item, f"{tenant_id}:{of}") if of else (0, 0)
    if calls > item.amount:
        raise TooManyRequests(
            f"More than {settings.MESSAGE_LIMIT} messages in this conversation. Wait {wait} s.",
            code="too_many_messages",
            wait=wait,
        )


def over(limit: str, who: str) -> int:
    """Count one call of somebody: the seconds to wait where it is beyond the limit, else 0."""
    item = parse(limit)
    calls, wait = _count(item, who)
    return wait if calls > item.amount else 0


def _count(item: RateLimitItem, who: str) -> tuple[int, int]:
    """Calls in the window that is running, 0 where they cannot be counted; seconds until its end."""
    window, now = item.get_expiry(), time.time()
    number = int(now // window)  # of the window: each has a counter of its own
    try:
        calls = _storage(settings.REDIS_URL).incr(item.key_for(who, str(number)), window)
    except StorageError as error:
        log.warning("rate limit not counted", error=str(error))
        return 0, 0
    return calls, math.ceil((number + 1) * window - now)
