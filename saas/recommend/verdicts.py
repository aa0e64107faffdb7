"""What an experiment has found so far: figures of its arms, and whether it may stop.

What is counted is customers, as they are what is drawn: each gives one value, from what they did in
the first days after their first answer. Values of customers are independent of each other, which
clicks of one customer are not, and come in the order of those first answers: what the stop rule needs.
Who was in two arms, as an anonymous customer and as a known one, is in neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import Literal

from django.utils import timezone

from saas.recommend import attribution, experiments, statistics
from saas.recommend.models import Experiment
from saas.recommend.statistics import Interval, Sums

# How long after their first answer a customer is watched.
WATCHED = {
    "ctr": timedelta(days=1),
    "conversion": timedelta(days=7),
    "revenue": timedelta(days=7),
}
VALUE = {
    "ctr": "avg((came.clicked IS TRUE)::int)",
    "conversion": "max((came.bought IS TRUE)::int)",
    "revenue": "coalesce(sum(came.paid), 0)",
}
UNLIKELY = 0.001  # arms further from their shares than that are not chance


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """`customers` are in the arm, `counted` have been watched to the end; `value` is of these."""

    arm: str
    share: float
    customers: int
    counted: int
    value: Interval | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the first one; `better` once it is decided, and then for good."""

    arm: str
    difference: Interval | None
    better: bool | None
    needed: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better` is the arm that a stop is for; `ratio_p` is how likely arms so unlike their shares are."""

    decision: Literal["keep_running", "stop", "mistrust"]
    better: str | None
    arms: list[ArmFigures]
    comparisons: list[Comparison]
    ratio_p: float


def judge(experiment: Experiment) -> Verdict:
    """What may be concluded now; to be asked as often as one likes."""
    arms = experiments.arms_of(experiment)
    customers, looks = _days(experiment)
    figures = []
    for arm in arms:
        sums = sum(looks[arm.name], Sums())
        figures.append(
            ArmFigures(
                arm.name, arm.share, customers[arm.name], sums.count, _value(experiment, sums)
            )
        )
    first, *others = (arm.name for arm in arms)
    alpha = statistics.ALPHA / len(others)  # Bonferroni: all comparisons together
    comparisons = [_compare(other, looks[first], looks[other], alpha) for other in others]
    ratio = statistics.mismatch([entry.customers for entry in figures], [arm.share for arm in arms])
    better = _better(first, comparisons)
    decision: Literal["keep_running", "stop", "mistrust"] = "stop" if better else "keep_running"
    if ratio < UNLIKELY:
        decision, better = "mistrust", None
    return Verdict(decision, better, figures, comparisons, ratio)


def _value(experiment: Experiment, sums: Sums) -> Interval | None:
    if experiment.metric == "conversion":
        return statistics.share(sums.hits, sums.count)
    return statistics.mean(sums)


def _compare(arm: str, control: Sequence[Sums], other: Sequence[Sums], alpha: float) -> Comparison:
    """Look at the end of each day, as if somebody had, so that what was decided does not come undone."""
    pairs = list(zip(accumulate(control), accumulate(other), strict=True))
    found = [statistics.difference(*pair, alpha=alpha) for pair in pairs]
    first = statistics.first_decided(found)
    decided = None if first is None else found[first]
    return Comparison(
        arm,
        found[-1] if found else None,
        None if decided is None else decided.low > 0,
        statistics.needed(*pairs[-1], alpha=alpha) if pairs and decided is None else None,
    )


def _better(control: str, comparisons: Sequence[Comparison]) -> str | None:
    """The arm that is better than the control, the best of several; the control, where all are worse."""
    won = [entry for entry in comparisons if entry.better and entry.difference]
    if won:
        return max(won, key=lambda entry: entry.difference.estimate if entry.difference else 0).arm
    return control if all(entry.better is False for entry in comparisons) else None


def _days(experiment: Experiment) -> tuple[dict[str, int], dict[str, list[Sums]]]:
    """By arm: its customers, and the sums of the values of those who came on each day."""
    now = timezone.now()
    rows = attribution.credit(
        f"""WITH {attribution.CREDITED},
        answers AS (
            SELECT id, coalesce(nullif(customer, ''), id::text) AS seat, arm, at
            FROM given WHERE experiment = %(experiment)s AND at < %(until)s),
        seats AS (
            SELECT seat, min(arm) AS arm, min(at) AS came_at
            FROM answers GROUP BY seat HAVING min(arm) = max(arm)),
        watched AS (
            SELECT seat, seats.arm, came_at, id FROM answers JOIN seats USING (seat)
            WHERE at < came_at + %(watched)s),
        came AS (
            SELECT id, bool_or(kind = 'click') AS clicked, bool_or(kind = 'buy') AS bought,
                sum(paid) AS paid
            FROM credited JOIN watched USING (id) WHERE at < came_at + %(watched)s GROUP BY id),
        valued AS (
            SELECT arm, came_at, {VALUE[experiment.metric]} AS value
            FROM watched LEFT JOIN came USING (id) GROUP BY arm, seat, came_at),
        dated AS (
            SELECT arm, (came_at AT TIME ZONE 'UTC')::date AS day, value,
                came_at < %(now)s - %(watched)s AS ripe FROM valued)
        SELECT arm, day, count(*), count(*) FILTER (WHERE ripe),
            count(*) FILTER (WHERE ripe AND value > 0),
            coalesce(sum(value) FILTER (WHERE ripe), 0),
            coalesce(sum(value * value) FILTER (WHERE ripe), 0)
        FROM dated GROUP BY arm, day""",  # noqa: S608  (made of constants)
        experiment=experiment.id,
        since=experiment.started_at,
        until=experiment.ended_at or now,
        now=now,
        watched=WATCHED[experiment.metric],
    )
    customers: defaultdict[str, int] = defaultdict(int)
    by_day: defaultdict[str, dict[object, Sums]] = defaultdict(dict)
    for arm, day, entered, count, hits, total, squares in rows:
        customers[arm] += entered
        by_day[arm][day] = Sums(count, hits, float(total), float(squares))
    days = sorted({day for sums in by_day.values() for day in sums}, key=str)
    looks = {
        arm.name: [by_day[arm.name].get(day, Sums()) for day in days]
        for arm in experiments.arms_of(experiment)
    }
    return customers, looks
