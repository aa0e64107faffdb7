"""Whether live traffic has moved away from what the live version met when it went live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.utils import timezone

from saas.errors import Conflict
from saas.training.models import Alarm, Kind, ModelVersion, Observation
from tenants import audit

if TYPE_CHECKING:
    import numpy as np

WINDOW = 500  # messages: the first of a version are what its latest are compared with
BINS = 10
LIMITS = {
    # Above 0.25 two distributions are held to differ in earnest (Siddiqi 2006, Credit Risk Scorecards).
    Alarm.Sign.CONFIDENCE: 0.25,
    # The share of messages that are no intent of the tenant's may rise or fall by this much.
    Alarm.Sign.SCOPE: 0.1,
}
log = structlog.get_logger(__name__)


def watch() -> list[Alarm]:
    """Raise the current tenant's alarms, each once for a version and sign."""
    version = ModelVersion.objects.filter(kind=Kind.INTENT, active=True).first()
    if version is None:
        return []
    seen = Observation.objects.filter(version=version.pk).values_list("confidence", "in_scope")
    if seen.count() < 2 * WINDOW:
        return []
    first, last = list(seen.order_by("at")[:WINDOW]), list(seen.order_by("-at")[:WINDOW])
    values = {
        Alarm.Sign.CONFIDENCE: instability([c for c, _ in first], [c for c, _ in last]),
        Alarm.Sign.SCOPE: abs(sum(s for _, s in first) - sum(s for _, s in last)) / WINDOW,
    }
    raised = []
    for sign, value in values.items():
        if value <= LIMITS[sign]:
            continue
        alarm, new = Alarm.objects.get_or_create(
            version=version,
            sign=sign,
            defaults={"value": value, "limit": LIMITS[sign], "messages": WINDOW},
        )
        if new:
            log.warning("drift", version=str(version.pk), sign=sign, value=round(value, 4))
            raised.append(alarm)
    return raised


def acknowledge(alarm_id: UUID, *, actor: str) -> Alarm:
    """Note that somebody has seen to it. Raises Alarm.DoesNotExist, and Conflict the second time."""
    alarm: Alarm = Alarm.objects.select_for_update().get(id=alarm_id)
    if alarm.acknowledged_at is not None:
        raise Conflict("The alarm has been acknowledged already.", code="acknowledged")
    alarm.acknowledged_at = timezone.now()
    alarm.save(update_fields=["acknowledged_at"])
    audit.record(actor=actor, action="alarm.acknowledged", target=str(alarm.id))
    return alarm


def instability(before: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index of two samples of values in 0..1; 0 where they are alike.

    Over bins that each hold a tenth of the earlier sample.
    """
    import numpy as np

    borders = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]))
    first, last = (
        _shares(np.searchsorted(borders, part), len(borders) + 1) for part in (before, now)
    )
    return float(((last - first) * np.log(last / first)).sum())


def _shares(places: np.ndarray, bins: int) -> np.ndarray:
    """Of each bin; half a text is added to every one, so that none is empty."""
    import numpy as np

    counts = np.bincount(places, minlength=bins) + 0.5
    return np.asarray(counts / counts.sum())
