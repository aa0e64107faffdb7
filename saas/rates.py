"""Rate limits of keys, counted in Redis over fixed windows. Without Redis nobody is refused."""

import functools
import math
import time

import structlog
from django.conf import settings
from limits import parse
from limits.errors import StorageError
from limits.storage import RedisStorage

from saas.errors import Problem
from tenants.keys import Principal

log = structlog.get_logger(__name__)


class TooManyRequests(Problem):
    status_code = 429
    default_code = "rate_limited"


@functools.cache
def _storage() -> RedisStorage:
    return RedisStorage(
        settings.REDIS_URL,
        key_prefix="rate",
        wrap_exceptions=True,
        socket_timeout=1,
        socket_connect_timeout=1,
    )


def count(principal: Principal) -> dict[str, str]:
    """Count one call; returns the RateLimit headers, raises TooManyRequests over the limit."""
    item = parse(settings.RATE_LIMIT)
    window, now = item.get_expiry(), time.time()
    number = int(now // window)  # of the window: each has a counter of its own
    try:
        calls = _storage().incr(item.key_for(str(principal.key_id), str(number)), window)
    except StorageError as error:
        log.warning("rate limit not counted", error=str(error))
        return {}
    wait = math.ceil((number + 1) * window - now)
    if calls > item.amount:
        raise TooManyRequests(
            f"More than {settings.RATE_LIMIT} calls with this key. Wait {wait} s.", wait=wait
        )
    return {
        "RateLimit-Policy": f'"key";q={item.amount};w={window}',
        "RateLimit": f'"key";r={item.amount - calls};t={wait}',
    }
