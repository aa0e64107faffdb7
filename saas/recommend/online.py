"""What became of the answers that were given: clicks, conversion and revenue, by scenario."""

from __future__ import annotations

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
    FROM credited GROUP BY id)
SELECT r.scenario, (r.at AT TIME ZONE 'UTC')::date AS day, r.version, r.experiment, r.arm,
    grouping(r.scenario, (r.at AT TIME ZONE 'UTC')::date, r.version, r.experiment) AS level,
    count(*), sum(jsonb_array_length(r.items)),
    coalesce(sum(impressions), 0), coalesce(sum(clicks), 0), count(*) FILTER (WHERE clicks > 0),
    coalesce(sum(carts), 0), coalesce(sum(buys), 0), count(*) FILTER (WHERE buys > 0),
    coalesce(sum(paid), 0), coalesce(sum(paid ^ 2), 0)
FROM recommend_recommendation r LEFT JOIN came USING (id)
WHERE r.tenant_id = %(tenant)s AND r.at >= %(since)s AND r.at < %(until)s
    AND (%(scenario)s IS NULL OR r.scenario = %(scenario)s)
GROUP BY GROUPING SETS (
    (r.scenario), (r.scenario, (r.at AT TIME ZONE 'UTC')::date),
    (r.scenario, r.version), (r.scenario, r.experiment, r.arm))
ORDER BY level DESC, r.scenario, day, r.version, r.experiment, r.arm"""  # noqa: S608  (made of constants)
TOTAL, BY_DAY, BY_VERSION, BY_ARM = 0b0111, 0b0011, 0b0101, 0b0110
SHOWN = """
SELECT count(DISTINCT pick ->> 0) FROM (
    SELECT items FROM recommend_recommendation
    WHERE tenant_id = %(tenant)s AND scenario = %(scenario)s AND at >= %(since)s AND at < %(until)s
    ORDER BY at DESC LIMIT %(most)s) newest, jsonb_array_elements(items) pick"""


def report(first: date, last: date, *, scenario: str | None = None) -> list[Scenario]:
    """Of the answers from the first to the last day (UTC), and what was credited to them until now."""
    since = datetime.combine(first, time.min, UTC)
    until = datetime.combine(last + timedelta(days=1), time.min, UTC)
    rows = query(
        REPORT,
        since=since,
        until=until,
        scenario=scenario,
        named=attribution.NAMED,
        touch=attribution.LAST_TOUCH,
    )
    found = _read(rows)
    offered = Item.objects.filter(available=True).count()
    for entry in found:
        period = {"since": since, "until": until, "most": COVERED}
        ((shown,),) = query(SHOWN, scenario=entry.scenario, **period)
        entry.coverage = min(1.0, shown / offered) if offered else None
    return found


def _read(rows: Iterable[tuple[Any, ...]]) -> list[Scenario]:
    scenarios: dict[str, Scenario] = {}
    for name, day, version, experiment, arm, level, *counts in rows:
        figures = _figures(*counts)
        if level == TOTAL:
            scenarios[name] = Scenario(name, figures)
        elif level == BY_DAY:
            scenarios[name].days.append((day, figures))
        elif level == BY_VERSION:
            scenarios[name].versions.append((version, figures))
        elif experiment is not None:
            scenarios[name].arms.append((experiment, arm, figures))
    return list(scenarios.values())


def _figures(
    answers: int,
    shown: int,
    impressions: int,
    clicks: int,
    clicked: int,
    carts: int,
    buys: int,
    bought: int,
    revenue: float,
    squares: float,
) -> Figures:
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
