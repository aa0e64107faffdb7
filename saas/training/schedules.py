"""Tuned again by itself: when enough has been learned since, at most so often."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.utils import timezone

from saas.errors import Conflict, QuotaExceeded
from saas.training import runs
from saas.training.models import Correction, Example, Kind, Run, Schedule
from tenants import audit

PERIODS = {Schedule.Every.DAY: timedelta(days=1), Schedule.Every.WEEK: timedelta(weeks=1)}
ACTOR = "schedule"
log = structlog.get_logger(__name__)


def get() -> Schedule:
    """The current tenant's schedule; off where none was set."""
    return Schedule.objects.first() or Schedule()


def put(*, every: str, least: int, actor: str) -> Schedule:
    """Set it."""
    row, _ = Schedule.objects.update_or_create(defaults={"every": every, "least": least})
    audit.record(actor=actor, action="schedule.set", target=every, least=least)
    schedule: Schedule = row
    return schedule


def keep() -> Run | None:
    """Start the run that is due; None where none is, or where it cannot start now.

    It goes on from the live model: new examples and corrections with a replay of the old ones, with
    the options of the last tuned run.
    """
    schedule = get()
    if schedule.every == Schedule.Every.OFF:
        return None
    last = Run.objects.filter(kind=Kind.INTENT, state=Run.State.SUCCEEDED).order_by("-created_at")
    since = last.values_list("created_at", flat=True).first()
    if since is None or timezone.now() - since < PERIODS[Schedule.Every(schedule.every)]:
        return None
    fresh = Example.objects.filter(created_at__gt=since).values_list("digest", flat=True)
    corrected = Correction.objects.filter(created_at__gt=since).values_list("digest", flat=True)
    if len(set(fresh) | set(corrected)) < schedule.least:
        return None
    tuned = last.filter(step="tuned").values_list("options", flat=True).first()
    options = (tuned or {}) | {"continual": True}
    try:
        return runs.start(Kind.INTENT, actor=ACTOR, step="tuned", options=options)
    except (Conflict, QuotaExceeded) as problem:  # a run is open, or the month's quota is used up
        log.warning("scheduled run not started", reason=problem.default_code)
        return None
