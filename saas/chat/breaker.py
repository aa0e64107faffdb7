"""A server that fails is left alone for a while, by all processes: counted in Redis.

closed ──failures in a row──▶ open ──REST seconds──▶ half open ──one call tries──▶ closed or open
"""

from __future__ import annotations

import hashlib
import math

import redis
import structlog

from saas.connection import redis_client

log = structlog.get_logger(__name__)
FAILURES = 5
REST = 30  # seconds
FORGET = 600  # seconds without any call, after which failures count no more
PROBE = 20.0  # seconds that the one call may take: longer than the longest time-out and its retry


class Breaker:
    """That of one server, by any name. Without Redis it lets every call through."""

    def __init__(self, name: str, *, failures: int = FAILURES, probe: float = PROBE) -> None:
        self._most, self._longest = failures, math.ceil(probe)
        name = hashlib.sha256(name.encode()).hexdigest()[:32]
        self._failures, self._open, self._probe = (
            f"breaker:{name}:{part}" for part in ("failures", "open", "probe")
        )

    def lets_through(self) -> bool:
        """Whether to call now."""
        try:
            if int(redis_client().get(self._failures) or 0) < self._most:
                return True
            if redis_client().exists(self._open):
                return False
            return bool(redis_client().set(self._probe, 1, nx=True, ex=self._longest))
        except redis.RedisError as error:
            log.warning("circuit breaker not read", error=str(error))
            return True

    def note(self, *, failed: bool) -> None:
        """What a call came to."""
        try:
            if not failed:
                redis_client().delete(self._failures, self._open, self._probe)
                return
            count = int(redis_client().incr(self._failures))
            redis_client().expire(self._failures, FORGET)
            if count >= self._most:
                redis_client().set(self._open, 1, ex=REST)
                redis_client().delete(self._probe)
        except redis.RedisError as error:
            log.warning("circuit breaker not written", error=str(error))
