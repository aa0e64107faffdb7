"""The API of what looks wrong about the examples."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.labelling import findings
from saas.labelling.api import READ, WRITE
from saas.labelling.models import Finding


class FindingOut(BaseModel):
    id: UUID
    kind: Literal["label", "duplicate"]
    text: str
    intent: str
    other: str = Field(description="The suggested intent, or the text that it repeats")
    score: float
    state: Literal["open", "accepted", "dismissed"]


class FindingIn(Body):
    state: Literal["accepted", "dismissed"]


def _finding_out(row: Finding) -> FindingOut:
    return FindingOut.model_validate(row, from_attributes=True)


class Findings(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_findings", parameters=[PageQuery], responses={200: page_of(FindingOut)}
    )
    def get(self, request: Request) -> Response:
        """Probable label errors and near-duplicates among the examples, the surest first."""
        return page(self, Finding.objects.all(), _finding_out, ordering="-score")


class OneFinding(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="decide_finding",
        request=FindingIn,
        responses={200: FindingOut},
        examples=[OpenApiExample("Dismiss", {"state": "dismissed"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Accept a finding (the example is relabelled, or deleted as a duplicate) or dismiss it."""
        body = self.read(FindingIn)
        row = Finding.objects.select_for_update().get(id=id)
        findings.close(row, body.state)
        return self.answer(_finding_out(row))
