"""Customers that are no people: so much in so short a time is a program's doing."""

from __future__ import annotations

import functools
import time
from datetime import UTC, datetime
from uuid import UUID

from tenants.scope import current_tenant_id, query

# What a person does in an hour and in a day at most, things merely shown not counted. The busiest
# wholesaler of a public year of orders enters 543 lines in an hour, and no more in a day.
MOST_IN_AN_HOUR = 1_000
MOST_IN_A_DAY = 3_000
REMEMBERED = 300  # seconds that a finding serves: it looks at all events of its time
CACHED = 256
EVER = datetime(1, 1, 1, tzinfo=UTC)


def suspects(since: datetime) -> frozenset[str]:
    """Those of the current tenant's events since a day, as of some minutes ago: for every call."""
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    return _suspects(current_tenant_id(), day, int(time.monotonic() // REMEMBERED))


@functools.lru_cache(maxsize=CACHED)
def _suspects(tenant_id: UUID, since: datetime, turn: int) -> frozenset[str]:
    return find(since)


def find(since: datetime = EVER) -> frozenset[str]:
    """The current tenant's customers whose events since a time look like a robot's."""
    found = query(
        """SELECT customer FROM (
               SELECT customer, date_trunc('hour', at, 'UTC') AS hour, count(*) AS times
               FROM recommend_event
               WHERE tenant_id = %(tenant)s AND at >= %(since)s AND kind <> 'impression'
               GROUP BY customer, hour) AS hours
           GROUP BY customer, date_trunc('day', hour, 'UTC')
           HAVING max(times) > %(hour)s OR sum(times) > %(day)s""",
        since=since,
        hour=MOST_IN_AN_HOUR,
        day=MOST_IN_A_DAY,
    )
    return frozenset(customer for (customer,) in found)
