"""The API of the desk's jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.labelling import jobs
from saas.labelling.api import READ, WRITE
from saas.labelling.models import Job


class JobIn(Body):
    kind: Literal["discover", "select", "check"] = Field(
        description="`discover` proposes intents, `select` fills the queue, `check` looks for errors"
    )


class JobOut(BaseModel):
    id: UUID
    kind: str
    state: Literal["queued", "running", "succeeded", "failed"]
    texts: int = Field(description="How many were read")
    found: int = Field(description="Proposals, turns or findings")
    error: str
    created_at: datetime
    finished_at: datetime | None


def _job_out(row: Job) -> JobOut:
    return JobOut.model_validate(row, from_attributes=True)


class Jobs(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_labelling_jobs", parameters=[PageQuery], responses={200: page_of(JobOut)}
    )
    def get(self, request: Request) -> Response:
        """Jobs, the newest first."""
        return page(self, Job.objects.all(), _job_out, ordering="-created_at")

    @extend_schema(
        operation_id="start_labelling_job",
        request=JobIn,
        responses={202: JobOut},
        examples=[OpenApiExample("Propose intents", {"kind": "discover"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Start a job. One of a kind at a time."""
        job = jobs.start(self.read(JobIn).kind, actor=self.principal.actor)
        return self.answer(_job_out(job), 202)
