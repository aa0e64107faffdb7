"""Rate limits of keys, counted in Redis over a sliding window. Without Redis nobody is refused."""

import functools
import time

import structlog
from django.conf import settings
from limits import parse
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from saas.errors import Problem
from tenants.keys import Principal

log = structlog.get_logger(__name__)


class TooManyRequests(Problem):
    status_code = 429
    default_code = "rate_limited"


@functools.cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    connection = RedisStorage(
        settings.REDIS_URL,
        key_prefix="rate",
        wrap_exceptions=True,
        socket_timeout=1,
        socket_connect_timeout=1,
    )
    return SlidingWindowCounterRateLimiter(connection)


def count(principal: Principal) -> dict[str, str]:
    """Count one call; returns the RateLimit headers, raises TooManyRequests over the limit."""
    item = parse(settings.RATE_LIMIT)
    try:
        allowed = _limiter().hit(item, str(principal.key_id))
        reset, remaining = _limiter().get_window_stats(item, str(principal.key_id))
    except StorageError as error:
        log.warning("rate limit not counted", error=str(error))
        return {}
    wait = max(1, round(reset - time.time()))
    if not allowed:
        raise TooManyRequests(
            f"More than {settings.RATE_LIMIT} calls with this key. Wait {wait} s.", wait=wait
        )
    return {
        "RateLimit-Policy": f'"key";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"key";r={remaining};t={wait}',
    }
