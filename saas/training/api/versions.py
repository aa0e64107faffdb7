"""The API of model versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.training import store
from saas.training.api import Kind
from saas.training.models import ModelVersion


class VersionOut(BaseModel):
    """`note` says why a version is not live; `fingerprint` is the SHA-256 of its data."""

    id: UUID
    kind: Kind
    step: Literal["instant", "tuned"]
    number: int
    active: bool
    metrics: dict[str, Any]
    fingerprint: str
    encoder: str
    parent: UUID | None
    note: str
    created_at: datetime


def _version_out(row: ModelVersion) -> VersionOut:
    return VersionOut(
        id=row.pk,
        kind=row.kind,  # type: ignore[arg-type]
        step=row.step,  # type: ignore[arg-type]
        number=row.number,
        active=row.active,
        metrics=row.metrics,
        fingerprint=row.fingerprint,
        encoder=row.encoder,
        parent=row.parent_id,
        note=row.note,
        created_at=row.created_at,
    )


class Versions(View):
    scopes = {"GET": "training:read"}

    @extend_schema(
        operation_id="list_versions", parameters=[PageQuery], responses={200: page_of(VersionOut)}
    )
    def get(self, request: Request) -> Response:
        """Model versions with their held-out metrics, the newest first."""
        return page(self, ModelVersion.objects.all(), _version_out, ordering="-created_at")


class OneVersion(View):
    scopes = {"GET": "training:read"}

    @extend_schema(operation_id="get_version", responses={200: VersionOut})
    def get(self, request: Request, id: UUID) -> Response:
        """A model version with its held-out metrics."""
        return self.answer(_version_out(ModelVersion.objects.get(pk=id)))


class RollbackIn(Body):
    kind: Kind


class RollBack(View):
    scopes = {"POST": "training:write"}

    @extend_schema(
        operation_id="roll_back",
        request=RollbackIn,
        responses={200: VersionOut},
        examples=[OpenApiExample("Intents", {"kind": "intent"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make the version live again that was live before."""
        version = store.roll_back(self.read(RollbackIn).kind, actor=self.principal.actor)
        return self.answer(_version_out(version))


class ActivateVersion(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="activate_version", request=None, responses={200: VersionOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Make a version live: an older one to roll back, or one that training held back."""
        version = ModelVersion.objects.select_for_update().get(pk=id)
        store.check(version)
        store.activate(version, actor=self.principal.actor)
        return self.answer(_version_out(version))
