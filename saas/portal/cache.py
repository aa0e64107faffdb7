"""The cache that counts attempts to sign in. Without Redis nobody is refused, as with all rate limits."""

from __future__ import annotations

from typing import Any

import redis
import structlog
from django.core.cache.backends.redis import RedisCache

log = structlog.get_logger(__name__)


class Cache(RedisCache):
    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except redis.RedisError as error:
            log.warning("cache not read", error=str(error))
            return default

    def set(self, key: Any, value: Any, *args: Any, **options: Any) -> None:
        try:
            super().set(key, value, *args, **options)
        except redis.RedisError as error:
            log.warning("cache not written", error=str(error))
