"""The API of training: examples, runs, model versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, BatchResult, Body, PageQuery, View, page, page_of, store_batch
from saas.errors import Conflict
from saas.training import examples, runs, store
from saas.training.models import Example, LogLine, ModelVersion, Run

Kind = Literal["intent", "recommend"]


class ExampleRows(
    RootModel[Annotated[list[examples.ExampleRow], Field(min_length=1, max_length=1000)]]
):
    """Up to 1,000 examples."""


class ExampleOut(BaseModel):
    id: UUID
    text: str
    intent: str
    language: str
    created_at: datetime


class Examples(View):
    scopes = {"GET": "examples:read", "POST": "examples:write"}

    @extend_schema(
        operation_id="list_examples", parameters=[PageQuery], responses={200: page_of(ExampleOut)}
    )
    def get(self, request: Request) -> Response:
        """Training examples, the newest first."""
        return page(
            self,
            Example.objects.all(),
            lambda row: ExampleOut.model_validate(row, from_attributes=True),
            ordering="-created_at",
        )

    @extend_schema(
        operation_id="write_examples",
        request=ExampleRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "Two languages",
                [
                    {"text": "Where is my parcel?", "intent": "order_status", "language": "en"},
                    {"text": "快递到哪了", "intent": "order_status", "language": "zh"},
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write examples, up to 1,000. A text that is there takes the new intent; the next run learns it."""
        return store_batch(examples.KIND, request.data)


class OneExample(View):
    scopes = {"DELETE": "examples:write"}

    @extend_schema(operation_id="delete_example", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete an example. Models trained with it stay as they are until the next run."""
        examples.remove(id)
        return Response(status=204)


class RunIn(Body):
    kind: Kind = Field(
        description="`intent` learns from examples, `recommend` from items and events"
    )


class RunOut(BaseModel):
    """`progress` is a share, 0 to 1. `error` says why a run failed."""

    id: UUID
    kind: Kind
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    progress: float
    error: str
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def _run_out(row: Run) -> RunOut:
    return RunOut.model_validate(row, from_attributes=True)


class Runs(View):
    scopes = {"GET": "training:read", "POST": "training:write"}

    @extend_schema(
        operation_id="list_runs", parameters=[PageQuery], responses={200: page_of(RunOut)}
    )
    def get(self, request: Request) -> Response:
        """Training runs, the newest first."""
        return page(self, Run.objects.all(), _run_out, ordering="-created_at")

    @extend_schema(
        operation_id="start_run",
        request=RunIn,
        responses={202: RunOut},
        examples=[OpenApiExample("Intents", {"kind": "intent"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Start a training run. One of a kind at a time; billed as one training run.

        The new version goes live by itself unless the live one does better on held-out data.
        """
        body = self.read(RunIn)
        run = runs.start(body.kind, actor=self.principal.actor, api_key=self.principal.key_id)
        return self.answer(_run_out(run), 202)


class OneRun(View):
    scopes = {"GET": "training:read"}

    @extend_schema(operation_id="get_run", responses={200: RunOut})
    def get(self, request: Request, id: UUID) -> Response:
        """A training run: its state and progress. Ask again until `finished_at` is set."""
        return self.answer(_run_out(Run.objects.get(id=id)))


class LogLineOut(BaseModel):
    at: datetime
    line: str


class RunLog(View):
    scopes = {"GET": "training:read"}

    @extend_schema(
        operation_id="get_run_log", parameters=[PageQuery], responses={200: page_of(LogLineOut)}
    )
    def get(self, request: Request, id: UUID) -> Response:
        """What a run said about its work, the first line first."""
        run = Run.objects.only("id").get(id=id)
        return page(
            self,
            LogLine.objects.filter(run=run),
            lambda row: LogLineOut.model_validate(row, from_attributes=True),
            ordering="id",
        )


class CancelRun(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="cancel_run", request=None, responses={202: RunOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Cancel a queued run at once, a running one at its next step."""
        run = runs.cancel(id, actor=self.principal.actor)
        run.refresh_from_db()
        return self.answer(_run_out(run), 202)


class VersionOut(BaseModel):
    """`note` says why a version is not live; `fingerprint` is the SHA-256 of its data."""

    id: UUID
    kind: Kind
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
        operation_id="list_models", parameters=[PageQuery], responses={200: page_of(VersionOut)}
    )
    def get(self, request: Request) -> Response:
        """Model versions with their held-out metrics, the newest first."""
        return page(self, ModelVersion.objects.all(), _version_out, ordering="-created_at")


class OneVersion(View):
    scopes = {"GET": "training:read"}

    @extend_schema(operation_id="get_model", responses={200: VersionOut})
    def get(self, request: Request, id: UUID) -> Response:
        """A model version with its held-out metrics."""
        return self.answer(_version_out(ModelVersion.objects.get(pk=id)))


class ActivateVersion(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="activate_model", request=None, responses={200: VersionOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Make a version live: an older one to roll back, or one that training held back."""
        version = ModelVersion.objects.select_for_update().get(pk=id)
        if not store.exists(version):
            raise Conflict("The files of this version are gone. Train again.", code="version_gone")
        store.activate(version, actor=self.principal.actor)
        return self.answer(_version_out(version))
