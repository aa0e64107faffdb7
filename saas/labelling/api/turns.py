"""The API of raw conversations: their turns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import BatchResult, Body, View, store_batch
from saas.labelling import labels, turns
from saas.labelling.api import WRITE
from saas.labelling.models import Turn


class TurnRows(RootModel[Annotated[list[turns.TurnRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 turns."""


class Suggestion(BaseModel):
    intent: str
    confidence: float


class QueuedOut(BaseModel):
    id: UUID
    text: str
    conversation: str
    at: datetime
    state: Literal["open", "labelled", "disputed", "skipped"]
    worth: float | None
    suggestions: list[Suggestion]


class ResolveIn(Body):
    intent: str | None = Field(
        default=None, min_length=1, max_length=128, pattern=rows.NAME, description="None: skip it"
    )


def queued_out(row: Turn) -> QueuedOut:
    return QueuedOut.model_validate(row, from_attributes=True)


class Turns(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="write_turns",
        request=TurnRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "A question and its answer",
                [
                    {
                        "conversation": "t-1",
                        "author": "customer",
                        "text": "我的快递到哪了",
                        "at": "2026-11-01T09:00:00Z",
                    },
                    {
                        "conversation": "t-1",
                        "author": "agent",
                        "text": "已经在派送中。",
                        "at": "2026-11-01T09:01:00Z",
                    },
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write turns of raw conversations, up to 1,000. A turn sent again changes nothing."""
        return store_batch(turns.KIND, request.data)


class OneTurn(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="settle_turn",
        request=ResolveIn,
        responses={200: QueuedOut},
        examples=[OpenApiExample("An intent", {"intent": "order_status"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """The last word on a turn: its intent, or that it is skipped."""
        body = self.read(ResolveIn)
        turn = Turn.objects.select_for_update().get(id=id, author="customer")
        if body.intent is None:
            labels.skip(turn)
        else:
            labels.resolve(turn, body.intent)
        return self.answer(queued_out(turn))
