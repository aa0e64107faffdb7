"""What became of the answers that were given: clicks, conversion and revenue, by scenario."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from saas.recommend import attribution, statistics
from saas.recommend.models import Item
from saas.recommend.statistics import Interval, Sums
from tenants.scope import query

COVERED = 50_000  # answers of a scenario that its coverage is read from, the newest ones


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some answers. `ctr` and `conversion` are shares of them: that led to a click, to a buy.

    `shown` and `clicks` count items of answers, `impressions` those that an event says were seen.
    """

    answers: int
    shown: int
    impressions: int
    clicks: int
    ctr: Interval | None
    carts: int
    buys: int
    conversion: Interval | None
    revenue: float
    revenue_per_answer: Interval | None


@dataclass(slots=True)
class Scenario:
    """A scenario's answers: all, and by what distinguishes them. `coverage` is of the catalog."""

    scenario: str
    total: Figures
    coverage: float | None = None
    days: list[tuple[date, Figures]] = field(default_factory=list)
    versions: list[tuple[UUID | None, Figures]] = field(default_factory=list)
    arms: list[tuple[UUID, str, Figures]] = field(default_factory=list)


REPORT = f"""
WITH {attribution.CREDITED},
came AS (
    SELECT id,
        count(DISTINCT item) FILTER (WHERE kind = 'impression') AS impressions,
        count(DISTINCT item) FILTER (WHERE kind = 'click') AS clicks,
        count(*) FILTER (WHERE kind = 'cart') AS carts,
        count(*) FILTER (WHERE kind = 'buy') AS buys,
        sum(paid) AS paid
    FROM credited GROUP BY id),
answers AS (
    SELECT id, scenario, (at AT TIME ZONE 'UTC')::date AS day, version, experiment, arm, shown
    FROM given WHERE at < %(until)s AND (%(scenario)s::text IS NULL OR scenario = %(scenario)s))
SELECT scenario, day, version, experiment, arm,
    count(*), sum(jsonb_array_length(shown)),
    coalesce(sum(impressions), 0), coalesce(sum(clicks), 0), count(*) FILTER (WHERE clicks > 0),
    coalesce(sum(carts), 0), coalesce(sum(buys), 0), count(*) FILTER (WHERE buys > 0),
    coalesce(sum(paid), 0), coalesce(sum(paid ^ 2), 0)
FROM answers LEFT JOIN came USING (id)
GROUP BY scenario, day, version, experiment, arm
ORDER BY scenario, day, version, experiment, arm"""  # noqa: S608  (made of constants)
SHOWN = """
SELECT count(DISTINCT pick ->> 0) FROM (
    SELECT items FROM recommend_recommendation
    WHERE tenant_id = %(tenant)s AND scenario = %(scenario)s AND at >= %(since)s AND at < %(until)s
    ORDER BY at DESC LIMIT %(most)s) newest, jsonb_array_elements(items) pick"""


def report(first: date, last: date, *, scenario: str | None = None) -> list[Scenario]:
    """Of the answers from the first to the last day (UTC), and what was credited to them until now."""
    since = datetime.combine(first, time.min, UTC)
    until = datetime.combine(last + timedelta(days=1), time.min, UTC)
    rows = attribution.credit(REPORT, since=since, until=until, scenario=scenario)
    found = _read(rows)
    offered = Item.objects.filter(available=True).count()
    for entry in found:
        period = {"since": since, "until": until, "most": COVERED}
        ((shown,),) = query(SHOWN, scenario=entry.scenario, **period)
        entry.coverage = min(1.0, shown / offered) if offered else None
    return found


def _read(rows: Iterable[tuple[Any, ...]]) -> list[Scenario]:
    """The counts of the smallest groups, added up in each of the ways that a report shows."""
    totals, days, versions, arms = (defaultdict[Any, list[Any]](list) for _ in range(4))
    for scenario, day, version, experiment, arm, *counts in rows:
        totals[scenario].append(counts)
        days[scenario, day].append(counts)
        versions[scenario, version].append(counts)
        if experiment is not None:
            arms[scenario, experiment, arm].append(counts)
    return [
        Scenario(
            name,
            _figures(counts),
            days=[(day, _figures(found)) for (of, day), found in days.items() if of == name],
            versions=[
                (id_, _figures(found)) for (of, id_), found in versions.items() if of == name
            ],
            arms=[
                (id_, arm, _figures(found)) for (of, id_, arm), found in arms.items() if of == name
            ],
        )
        for name, counts in totals.items()
    ]


def _figures(counts: list[list[Any]]) -> Figures:
    sums = (sum(column) for column in zip(*counts, strict=True))
    answers, shown, impressions, clicks, clicked, carts, buys, bought, revenue, squares = sums
    return Figures(
        answers,
        shown,
        int(impressions),
        int(clicks),
        statistics.share(clicked, answers),
        int(carts),
        int(buys),
        statistics.share(bought, answers),
        float(revenue),
        statistics.mean(Sums(answers, bought, float(revenue), float(squares))),
    )
