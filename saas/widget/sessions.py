"""Visitors' sessions: begun and renewed; a token that was renewed is refused soon after.

How often a visitor's token was renewed is counted in Redis, and nowhere before the first time. Where
Redis is away tokens are as good as their signature says: they expire by themselves.
"""

from __future__ import annotations

import time

import redis
import structlog

from saas.connection import redis_client
from tenants import visitors
from tenants.visitors import Visitor

log = structlog.get_logger(__name__)
GRACE = 60  # seconds for calls under way, and other tabs
# The count after this renewal; the same again for who renews at the same time; -1 for a replay.
RENEW = """
local now, turn = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('GET', KEYS[1])
local count, at = 0, 0
if kept then count, at = string.match(kept, '(%d+) (%d+)') end
count, at = tonumber(count), tonumber(at)
if turn < count and (turn < count - 1 or now - at > tonumber(ARGV[3])) then return -1 end
if turn >= count then
  count = turn + 1
  redis.call('SET', KEYS[1], count .. ' ' .. now, 'EX', ARGV[4])
end
return count
"""


def renew(visitor: Visitor) -> int:
    """Which turn the visitor's next token has. Raises visitors.Refused for a replayed one."""
    given = (int(time.time()), visitor.turn, GRACE, visitors.RENEWABLE + visitors.LEEWAY)
    try:
        turn = int(redis_client().eval(RENEW, 1, _key(visitor), *given))
    except redis.RedisError as error:
        log.warning("renewal of a visitor not counted", error=str(error))
        return visitor.turn + 1
    if turn < 0:
        raise visitors.Refused("This visitor token was renewed before.")
    return turn


def check(visitor: Visitor) -> None:
    """Raises visitors.Refused where a later token took this one's place, GRACE ago."""
    try:
        kept = redis_client().get(_key(visitor))
    except redis.RedisError as error:
        log.warning("renewal of a visitor not known", error=str(error))
        return
    if not isinstance(kept, bytes):
        return
    count, at = map(int, kept.split())
    late = time.time() - at > GRACE
    if visitor.turn < count - 1 or (visitor.turn < count and late):
        raise visitors.Refused("This visitor token was renewed.")


def _key(visitor: Visitor) -> str:
    return f"visitor:{visitor.tenant_id}:{visitor.id}"
