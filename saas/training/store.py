"""Model versions: kept with their metrics, one of a kind live, loaded once per process."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Max

from ml.errors import ArtifactError
from saas.training.models import ModelVersion, Revision, Run
from tenants import audit
from tenants.scope import current_tenant_id, query

CACHED = 64
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
    """What answers now: the live version of a kind and its model, and the revision of its rows."""

    version_id: UUID | None
    model: Any
    revision: int


def serving(kind: str, *, rows: str, encoder: str) -> Serving:
    """The live model of a kind, None where there is none for this encoder, and `rows`' revision."""
    version_id, revision = query(
        """SELECT (SELECT run_id FROM training_modelversion WHERE tenant_id = %(tenant)s
                   AND kind = %(kind)s AND active AND encoder = %(encoder)s),
                  coalesce((SELECT number FROM training_revision WHERE tenant_id = %(tenant)s
                            AND name = %(rows)s), 0)""",
        kind=kind,
        encoder=encoder,
        rows=rows,
    )[0]
    if version_id is None:
        return Serving(None, None, revision)
    try:
        return Serving(version_id, load(kind, version_id), revision)
    except ArtifactError as error:
        # The bot goes on without its model, and says so here, rather than not at all.
        log.error("live model unreadable", kind=kind, version=str(version_id), error=str(error))
        return Serving(None, None, revision)


def load(kind: str, version_id: UUID) -> Any:
    """The current tenant's model of a version, kept in memory. Raises ArtifactError."""
    # The tenant is part of the cache's key: no tenant can be handed another one's model.
    return _load(current_tenant_id(), kind, version_id)


@functools.lru_cache(maxsize=CACHED)
def _load(tenant_id: UUID, kind: str, version_id: UUID) -> Any:
    return trainer(kind).load(folder(kind, version_id))


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

    Both held-out scores are estimates: the new one may lie one standard error of the difference
    below the live one, else chance alone would keep half of all equally good versions out.
    """
    if live_version is None or live_version.encoder != made.encoder:
        return ""
    name: str = trainer(kind).SCORE
    new, old = made.metrics.get(name), live_version.metrics.get(name)
    if new is None or old is None:
        return ""
    size = made.metrics.get("held_out") or 1
    error = (max(new * (1 - new), old * (1 - old)) * 2 / size) ** 0.5
    if new >= old - error:
        return ""
    return f"Not live: {name} {new:.4f} is worse than {old:.4f} of version {live_version.number}."


def exists(version: ModelVersion) -> bool:
    """Whether the version's artifact is on this machine's disk."""
    return folder(version.kind, version.pk).is_dir()


def activate(version: ModelVersion, *, actor: str) -> None:
    """Make a version the live one: the newest after training, or an older one to roll back."""
    ModelVersion.objects.filter(kind=version.kind, active=True).update(active=False)
    version.active = True
    version.save(update_fields=["active"])
    audit.record(
        actor=actor, action="model.activated", target=str(version.pk), number=version.number
    )


def touch(name: str) -> None:
    """Tell all processes that the current tenant's rows of that name have changed."""
    Revision.objects.bulk_create([Revision(name=name, number=0)], ignore_conflicts=True)
    Revision.objects.filter(name=name).update(number=F("number") + 1)
