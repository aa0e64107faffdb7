"""Which answer led to what a customer did.

An event that names an answer (`recommendation`) is of that answer where it can be: the item was in it,
the customer is the one that it was for, and it came after it, within 30 days. A cart or a buy that
names none goes to the newest click of the same customer on the same item, in the 7 days before it,
that is of an answer by that rule. Having been shown alone is not enough. Customers that look like robots
count nowhere, neither their answers nor their events.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from saas.recommend import robots
from tenants.scope import query

NAMED = timedelta(days=30)
LAST_TOUCH = timedelta(days=7)

# `given`: the answers from `since` to `until`, and as long after it as a later click on another answer can
# take a buy away from an earlier one; `shown` are their items. `credited`: id of the answer, kind, item,
# when, and for a buy what was paid.
CREDITED = """
given AS MATERIALIZED (
    SELECT id, customer, scenario, version, experiment, arm, at,
        jsonb_path_query_array(items, '$[*][0]') AS shown
    FROM recommend_recommendation
    WHERE tenant_id = %(tenant)s AND at >= %(since)s AND at < %(until)s + %(touch)s
        AND customer <> ALL(%(robots)s)),
named AS (
    SELECT e.id AS event, g.id, e.customer, e.kind, e.item, e.at, e.value, e.quantity
    FROM given g
    JOIN recommend_event e ON e.tenant_id = %(tenant)s AND e.recommendation = g.id
        AND e.kind IN ('impression', 'click', 'cart', 'buy')
        AND e.at >= g.at AND e.at < g.at + %(named)s AND e.at >= %(since)s
    WHERE g.customer IN ('', e.customer) AND e.customer <> ALL(%(robots)s) AND g.shown ? e.item),
touched AS (
    SELECT DISTINCT ON (e.id) e.id AS event, c.id, e.customer, e.kind, e.item, e.at, e.value, e.quantity
    FROM named c
    JOIN recommend_event e ON e.tenant_id = %(tenant)s AND e.customer = c.customer
        AND e.item = c.item AND e.at >= %(since)s AND e.kind IN ('cart', 'buy') AND e.recommendation IS NULL
        AND e.at >= c.at AND e.at < c.at + %(touch)s
    WHERE c.kind = 'click'
    ORDER BY e.id, c.at DESC),
credited AS (
    SELECT found.id, found.kind, found.item, found.at,
        CASE WHEN found.kind = 'buy' THEN
            found.quantity * CASE WHEN found.value = 1 THEN coalesce(i.price, 0) ELSE found.value END
        END AS paid
    FROM (SELECT * FROM named UNION ALL SELECT * FROM touched) found
    LEFT JOIN recommend_item i ON found.kind = 'buy' AND i.tenant_id = %(tenant)s
        AND i.external_id = found.item)"""


def credit(statement: str, *, since: datetime, **parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of a statement over `given` and `credited`."""
    suspected = sorted(robots.suspects(since))
    with _whole_sets():
        return query(
            statement, **parameters, since=since, named=NAMED, touch=LAST_TOUCH, robots=suspected
        )


@contextmanager
def _whole_sets() -> Iterator[None]:
    """The planner takes the conditions of `named` to leave next to nothing and would go on row by
    row, which for a million answers takes hours: it is told to join whole sets, in memory.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'")
        yield
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT; SET LOCAL work_mem TO DEFAULT")
