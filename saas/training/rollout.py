"""Champion and challenger: a version on live traffic, before or instead of going live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.db.models import Avg, Count, F, Q
from django.utils import timezone

from saas.errors import Conflict
from saas.training import store
from saas.training.models import Challenge, ModelVersion, Observation
from tenants import audit

if TYPE_CHECKING:
    from ml.types import Prediction, Vectors

Z = 1.96  # deviations of a 95 % interval
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arm:
    """What one version made of its messages. Shares, 0..1, with half the width of a 95 % interval."""

    version: UUID
    messages: int
    answered: float | None
    answered_within: float | None
    in_scope: float | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Champion and challenger side by side; `agreement` of a shadow, on the same messages."""

    champion: Arm
    challenger: Arm
    agreement: float | None
    swaps: list[tuple[str, str, int]]


def observe(
    live: store.Serving,
    prediction: Prediction,
    *,
    text: str,
    answered: bool,
    watched: Vectors | None,
) -> None:
    """Note what the model that answers made of a message, and what its challenger would have made.

    `text` is the message as models read it, `watched` its vector for the challenger, whose failure is
    logged and hurts no answer.
    """
    other: Prediction | None = None
    if live.challenger is not None and watched is not None:
        try:
            other = live.challenger.predict(watched, [text])[0]
        except Exception:
            log.exception("challenger failed", challenge=str(live.challenge_id))
    Observation.objects.create(
        version=live.version_id,
        intent=prediction.label or "",
        confidence=prediction.confidence,
        in_scope=prediction.in_scope,
        answered=answered,
        challenge=live.challenge_id,
        challenger_intent=(other.label or "") if other else "",
        challenger_confidence=other.confidence if other else None,
        challenger_in_scope=other.in_scope if other else None,
    )


def start(version: ModelVersion, *, mode: str, share: float, actor: str) -> Challenge:
    """Put a version beside the live one. Raises Conflict where that cannot be."""
    champion = (
        ModelVersion.objects.select_for_update().filter(kind=version.kind, active=True).first()
    )
    if champion is None:
        raise Conflict(f"No {version.kind} model is live. Activate one first.", code="no_model")
    if champion.pk == version.pk:
        raise Conflict("This version is live. Challenge it with another one.", code="is_live")
    if champion.encoder != version.encoder:
        raise Conflict("The two versions have different encoders. Train again.", code="encoder")
    store.check(version)
    if current(version.kind) is not None:
        raise Conflict("A challenge is under way. End it first.", code="challenge_open")
    challenge: Challenge = Challenge.objects.create(
        kind=version.kind, version=version, champion=champion, mode=mode, share=share
    )
    audit.record(
        actor=actor, action="challenge.started", target=str(challenge.id), mode=mode, share=share
    )
    return challenge


def current(kind: str) -> Challenge | None:
    """The challenge under way."""
    found: Challenge | None = Challenge.objects.filter(kind=kind, ended_at=None).first()
    return found


def end(challenge: Challenge, *, actor: str) -> None:
    """Stop it: the live version answers everything again. Raises Conflict where it has ended."""
    if not Challenge.objects.filter(id=challenge.id, ended_at=None).update(ended_at=timezone.now()):
        raise Conflict("The challenge has ended already.", code="challenge_over")
    audit.record(actor=actor, action="challenge.ended", target=str(challenge.id))


def promote(challenge: Challenge, *, actor: str) -> None:
    """Make the challenger the live version and end the challenge."""
    end(challenge, actor=actor)
    store.activate(challenge.version, actor=actor)


def compare(challenge: Challenge) -> Comparison:
    """What the two versions made of the messages since the challenge began."""
    seen = Observation.objects.filter(challenge=challenge.id)
    if challenge.mode == Challenge.Mode.SHARE:
        return Comparison(
            _arm(challenge.champion_id, seen.filter(version=challenge.champion_id)),
            _arm(challenge.version_id, seen.filter(version=challenge.version_id)),
            None,
            [],
        )
    both = seen.exclude(challenger_confidence=None)
    figures = both.aggregate(
        messages=Count("id"),
        same=Count("id", filter=Q(intent=F("challenger_intent"))),
        scope=Count("id", filter=Q(challenger_in_scope=True)),
        confidence=Avg("challenger_confidence"),
    )
    count = figures["messages"]
    challenger = Arm(
        challenge.version_id,
        count,
        None,
        None,
        figures["scope"] / count if count else None,
        figures["confidence"],
    )
    swaps = (
        both.exclude(intent=F("challenger_intent"))
        .values_list("intent", "challenger_intent")
        .annotate(times=Count("id"))
        .order_by("-times", "intent", "challenger_intent")[:20]
    )
    return Comparison(
        _arm(challenge.champion_id, both),
        challenger,
        figures["same"] / count if count else None,
        [(champion, other, times) for champion, other, times in swaps],
    )


def _arm(version: UUID, seen: Any) -> Arm:
    figures = seen.aggregate(
        messages=Count("id"),
        answered=Count("id", filter=Q(answered=True)),
        scope=Count("id", filter=Q(in_scope=True)),
        confidence=Avg("confidence"),
    )
    count = figures["messages"]
    if not count:
        return Arm(version, 0, None, None, None, None)
    share = figures["answered"] / count
    within = Z * (share * (1 - share) / count) ** 0.5
    return Arm(version, count, share, within, figures["scope"] / count, figures["confidence"])
