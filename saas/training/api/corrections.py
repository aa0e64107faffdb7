"""The API of corrections."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, Body, PageQuery, View, page, page_of
from saas.training import corrections
from saas.training.models import Correction


class CorrectionIn(Body):
    text: str = rows.text(2_000, says="What the customer wrote")
    intent: str = rows.text(128, says="What it really meant")


class CorrectionOut(BaseModel):
    """`guessed` is what the bot had taken the message for, where that is known."""

    id: UUID
    text: str
    intent: str
    guessed: str
    created_at: datetime


def _out(row: Correction) -> CorrectionOut:
    return CorrectionOut.model_validate(row, from_attributes=True)


class Corrections(View):
    scopes = {"GET": "examples:read", "POST": "examples:write"}

    @extend_schema(
        operation_id="list_corrections",
        parameters=[PageQuery],
        responses={200: page_of(CorrectionOut)},
    )
    def get(self, request: Request) -> Response:
        """What people have set right, the newest first."""
        return page(self, Correction.objects.all(), _out, ordering="-created_at")

    @extend_schema(
        operation_id="correct_message",
        request=CorrectionIn,
        responses={200: CorrectionOut},
        examples=[
            OpenApiExample(
                "A message", {"text": "我的包裹呢", "intent": "order_status"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Say what a message really meant. New versions learn it, and must get it right."""
        body = self.read(CorrectionIn)
        row = corrections.write(body.text, body.intent, actor=self.principal.actor)
        return self.answer(_out(row))


class OneCorrection(View):
    scopes = {"DELETE": "examples:write"}

    @extend_schema(operation_id="delete_correction", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Take a correction back, with the example that came from it."""
        corrections.remove(id)
        return Response(status=204)
