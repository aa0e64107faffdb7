"""The process's connections to Redis."""

import functools

import redis
from django.conf import settings

TIMEOUT = 2  # seconds, for an answer; to connect, half of it


def redis_client() -> redis.Redis:
    """Redis as the settings name it; its connections are shared by the threads of the process."""
    return _client(settings.REDIS_URL)


@functools.cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT / 2)
