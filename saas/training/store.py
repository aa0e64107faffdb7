"""Model versions: kept with their metrics, one of a kind live, loaded once per process."""

from __future__ import annotations

import functools
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Max
from django.utils import timezone
from django.utils.module_loading import import_string

from ml.errors import ArtifactError
from saas import workers
from saas.errors import Conflict, Problem
from saas.training.models import Challenge, ModelVersion, Revision, Run
from tenants import audit
from tenants.scope import current_tenant_id, query_together

CACHED = 64
# Of one kind, encoder and name of rows: what `served` reads.
SERVING = """
    SELECT live.run_id AS live, coalesce(revision.number, 0) AS revision,
           challenge.id AS challenge, challenge.share, challenger.run_id AS challenger
    FROM (SELECT 1) AS one
    LEFT JOIN training_modelversion live ON live.tenant_id = %(tenant)s
         AND live.kind = %(kind)s AND live.active AND live.encoder = %(encoder)s
    LEFT JOIN training_revision revision ON revision.tenant_id = %(tenant)s
         AND revision.name = %(rows)s
    LEFT JOIN training_challenge challenge ON challenge.tenant_id = %(tenant)s
         AND challenge.kind = %(kind)s AND challenge.ended_at IS NULL
    LEFT JOIN training_modelversion challenger ON challenger.tenant_id = %(tenant)s
         AND challenger.run_id = challenge.version_id AND challenger.encoder = %(encoder)s"""
# What people corrected, and a new version is tested on.
CORRECTED = {
    "corrections": "the corrected messages",
    "answers": "the questions with a corrected answer (its report names those it lost)",
}
log = structlog.get_logger(__name__)


class Model(Protocol):
    """What a trained model can do, whatever its kind."""

    metrics: dict[str, Any]

    def save(self, folder: Path) -> None: ...


def trainer(kind: str) -> ModuleType:
    """The module that reads, fits and loads models of that kind (settings.TRAINERS)."""
    return import_module(settings.TRAINERS[kind])


def folder(kind: str, version_id: UUID) -> Path:
    path: Path = settings.ARTIFACTS / str(current_tenant_id()) / kind / str(version_id)
    return path


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers now: the version of a kind and its model, and the revision of its rows.

    `challenger` is watched beside it and does not answer (saas.training.rollout).
    """

    version_id: UUID | None
    model: Any
    revision: int
    challenge_id: UUID | None = None
    challenger: Any = None


def serving(kind: str, *, rows: str, encoder: str, seat: UUID | None = None) -> Serving:
    """The model of a kind that answers, None where there is none for this encoder.

    `seat` is what an A/B share is drawn by: the same model answers a whole conversation. `rows`
    names the rows whose revision is wanted.
    """
    (found,) = query_together(SERVING, kind=kind, encoder=encoder, rows=rows)
    return served(kind, found, seat=seat)


def served(kind: str, found: Sequence[Mapping[str, Any]], *, seat: UUID | None = None) -> Serving:
    """The same, of what SERVING has found."""
    (row,) = found
    live_id, challenge_id, challenger_id = (
        UUID(row[name]) if row[name] else None for name in ("live", "challenge", "challenger")
    )
    revision, share = row["revision"], row["share"]
    live, challenger = _readable(kind, live_id), _readable(kind, challenger_id)
    if live is None:
        return Serving(None, None, revision)
    if challenger is None or challenge_id is None:
        return Serving(live_id, live, revision)
    if seat is not None and drawn(challenge_id, seat.bytes) < share:
        return Serving(challenger_id, challenger, revision, challenge_id)
    return Serving(live_id, live, revision, challenge_id, None if share else challenger)


def drawn(trial: UUID, seat: bytes) -> float:
    """Where in 0..1 who sits there falls: the same for one trial, anew for another."""
    digest = hashlib.sha256(trial.bytes + seat).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _readable(kind: str, version_id: UUID | None) -> Any:
    """The model of a version; None, and a line in the log, where its files are gone."""
    if version_id is None:
        return None
    try:
        return load(kind, version_id)
    except ArtifactError as error:
        # The bot goes on without its model, and says so here, rather than not at all.
        log.error("model unreadable", kind=kind, version=str(version_id), error=str(error))
        return None


def load(kind: str, version_id: UUID) -> Any:
    """The current tenant's model of a version, kept in memory. Raises ArtifactError."""
    # The tenant is part of the cache's key: no tenant can be handed another one's model.
    return _load(current_tenant_id(), kind, version_id)


def version(kind: str, version_id: UUID, *, encoder: str) -> ModelVersion:
    """A version made with this encoder. Raises Problem `no_version`."""
    versions = ModelVersion.objects.filter(pk=version_id, kind=kind, encoder=encoder)
    found: ModelVersion | None = versions.first()
    if found is None:
        raise Problem(
            f"There is no version {version_id} of the kind {kind} made with the encoder that "
            "serves. See GET /v1/versions.",
            code="no_version",
        )
    return found


def model_of(kind: str, version_id: UUID, *, encoder: str) -> Any:
    """The model of a version, live or not; None where this encoder did not make it, or it is gone."""
    try:
        _version(current_tenant_id(), kind, version_id, encoder)
    except Problem:
        return None
    return _readable(kind, version_id)


@functools.lru_cache(maxsize=CACHED)
def _version(tenant_id: UUID, kind: str, version_id: UUID, encoder: str) -> ModelVersion:
    """That it is there stays true; that it is not may change, and raises, which is not kept."""
    return version(kind, version_id, encoder=encoder)


@functools.lru_cache(maxsize=CACHED)
def _load(tenant_id: UUID, kind: str, version_id: UUID) -> Any:
    return trainer(kind).load(folder(kind, version_id))


@dataclass(frozen=True, slots=True)
class Task:
    """How a run trains: its step, a tuned one's settings, and where it may keep checkpoints."""

    step: str = "instant"
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What a run made, before it is a version."""

    metrics: dict[str, Any]
    fingerprint: str
    encoder: str


def write(kind: str, version_id: UUID, model: Model) -> None:
    """Put the artifact on disk, in place of what an interrupted attempt may have left."""
    path = folder(kind, version_id)
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save(path)


def register(run: Run, made: Made) -> ModelVersion:
    """A new version from a run, live at once unless the live one is better."""
    versions = ModelVersion.objects.filter(kind=run.kind)
    parent = versions.select_for_update().filter(active=True).first()
    last = versions.aggregate(last=Max("number"))["last"] or 0
    version: ModelVersion = ModelVersion.objects.create(
        run=run,
        kind=run.kind,
        step=run.step,
        number=last + 1,
        metrics=made.metrics,
        fingerprint=made.fingerprint,
        encoder=made.encoder,
        parent=parent,
    )
    reason = _worse(run.kind, made, parent)
    if reason:
        version.note = reason
        version.save(update_fields=["note"])
    else:
        activate(version, actor=f"run {run.id}")
    return version


def _worse(kind: str, made: Made, live_version: ModelVersion | None) -> str:
    """Why the new version must not go live; empty where it may.

    Champion and challenger are compared on the frozen test part where both were measured on it, else
    on what each of them held out. Both scores are estimates: the new one may lie one standard error
    of the difference below the live one, else chance alone would keep half of all equally good
    versions out. On what people corrected it must be as good.
    """
    if live_version is None or live_version.encoder != made.encoder:
        return ""
    for part, said in CORRECTED.items():
        champion, new = (made.metrics.get(f"{who}{part}_accuracy") for who in ("champion_", ""))
        if champion is not None and new is not None and new < champion:
            other = f"version {live_version.number} on {champion:.0%}"
            return f"Not live: right on {new:.0%} of {said}, and {other}."
    tested = "test_accuracy" in made.metrics and "test_accuracy" in live_version.metrics
    name, count = ("test_accuracy", "test_size") if tested else (trainer(kind).SCORE, "held_out")
    new, old = made.metrics.get(name), live_version.metrics.get(name)
    if new is None or old is None:
        return ""
    size = made.metrics.get(count) or 1
    error = (max(new * (1 - new), old * (1 - old)) * 2 / size) ** 0.5
    if new >= old - error:
        return ""
    return f"Not live: {name} {new:.4f} is worse than {old:.4f} of version {live_version.number}."


def checkpoints(kind: str, run_id: UUID) -> Path:
    """Where a run keeps what it needs to go on after its worker was killed."""
    path = folder(kind, run_id)
    return path.with_name(f"{path.name}.checkpoints")


def live(kind: str, *, encoder: str) -> Any:
    """The current tenant's live model for this encoder, or None."""
    found = ModelVersion.objects.filter(kind=kind, active=True, encoder=encoder).first()
    return None if found is None else _readable(kind, found.pk)


def exists(version: ModelVersion) -> bool:
    """Whether the version's artifact is on this machine's disk."""
    return folder(version.kind, version.pk).is_dir()


def check(version: ModelVersion) -> None:
    """Raises Conflict where the version's artifact is gone."""
    if not exists(version):
        raise Conflict("The files of this version are gone. Train again.", code="version_gone")


def roll_back(kind: str, *, actor: str) -> ModelVersion:
    """Make the version live that the live one replaced. Raises Conflict where there is none."""
    live_version = ModelVersion.objects.select_for_update().filter(kind=kind, active=True).first()
    before: ModelVersion | None = live_version.replaced if live_version else None
    if before is None:
        raise Conflict("No version was live before this one.", code="nothing_before")
    check(before)
    activate(before, actor=actor)
    return before


def activate(version: ModelVersion, *, actor: str) -> None:
    """Make a version the live one: the newest after training, or an older one to roll back.

    A challenge of the version that was live is over; slices are told (settings.AFTER_ACTIVATION).
    """
    before = ModelVersion.objects.filter(kind=version.kind, active=True).exclude(pk=version.pk)
    version.replaced = before.first() or version.replaced
    before.update(active=False)
    version.active = True
    version.save(update_fields=["active", "replaced"])
    Challenge.objects.filter(kind=version.kind, ended_at=None).update(ended_at=timezone.now())
    if version.kind in settings.AFTER_ACTIVATION:
        task = import_string(settings.AFTER_ACTIVATION[version.kind])
        # The version is live even where the queue does not answer.
        workers.queue(task, str(current_tenant_id()))
    audit.record(
        actor=actor, action="model.activated", target=str(version.pk), number=version.number
    )


def touch(name: str) -> None:
    """Tell all processes that the current tenant's rows of that name have changed."""
    Revision.objects.bulk_create([Revision(name=name, number=0)], ignore_conflicts=True)
    Revision.objects.filter(name=name).update(number=F("number") + 1)
