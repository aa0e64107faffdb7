"""The API of safety: what the bot refuses, and what it has refused."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.chat import safety
from saas.chat.api import READ, WRITE
from saas.chat.models import Refusal


class RefusalOut(BaseModel):
    message_id: UUID = Field(description="What the bot said instead of an answer")
    conversation_id: UUID
    kind: safety.Kind
    reason: str = Field(description="What shows it")
    score: float = Field(description="How sure, 0 to 1")
    action: safety.Action
    refused_at: datetime


class RefusalQuery(PageQuery):
    kind: safety.Kind | None = Field(default=None, description="Not given: all")


class SafetyPolicyBody(safety.Policy, Body):
    """What is done with each kind of message, and your own words that are refused."""


class Policy(View):
    scopes = {"GET": READ, "PUT": WRITE}

    @extend_schema(operation_id="get_safety_policy", responses={200: SafetyPolicyBody})
    def get(self, request: Request) -> Response:
        """What the bot does with each kind of message that it could refuse."""
        return self.answer(safety.get())

    @extend_schema(
        operation_id="put_safety_policy",
        request=SafetyPolicyBody,
        responses={200: SafetyPolicyBody},
        examples=[
            OpenApiExample(
                "Insults are let through, a rival is not spoken of",
                {"abuse": {"action": "allow"}, "words": ["Acme Parcels"]},
                request_only=True,
            )
        ],
    )
    def put(self, request: Request) -> Response:
        """Set what the bot refuses. Requests for other people's data are never let through."""
        body = self.read(SafetyPolicyBody)
        return self.answer(safety.put(body, actor=self.principal.actor))


class Refusals(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(
        operation_id="list_refusals",
        parameters=[RefusalQuery],
        responses={200: page_of(RefusalOut)},
    )
    def get(self, request: Request) -> Response:
        """What the bot has refused and why, the newest first."""
        kind = self.query(RefusalQuery).kind
        found = Refusal.objects.select_related("message")
        if kind is not None:
            found = found.filter(kind=kind)
        return page(self, found, _out, ordering="-refused_at", query=RefusalQuery)


def _out(row: Refusal) -> RefusalOut:
    return RefusalOut(
        message_id=row.message_id,
        conversation_id=row.message.conversation_id,
        kind=row.kind,  # type: ignore[arg-type]
        reason=row.reason,
        score=row.score,
        action=row.action,  # type: ignore[arg-type]
        refused_at=row.refused_at,
    )
