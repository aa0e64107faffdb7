"""The API of composed answers: the language model's prompt, budget and use."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import language_model, rows
from saas.api import Body, PageQuery, View, page, page_of
from saas.chat import prompts, spending
from saas.chat.models import Prompt

READ, WRITE = "knowledge:read", "knowledge:write"


class CompositionBody(prompts.Policy, Body):
    """Whether, how and for how much a language model composes your answers."""


class CompositionOut(BaseModel):
    available: bool = Field(description="False where the operator has set no language model")
    policy: CompositionBody
    tokens_this_month: int
    cost_this_month: Decimal


class PromptIn(Body):
    text: str = rows.text(4_000, says="Tone, length, what to mention; rules of grounding stay")


class PromptOut(BaseModel):
    version: int
    text: str
    author: str
    created_at: datetime


class Composition(View):
    scopes = {"GET": READ, "PUT": WRITE}

    @extend_schema(operation_id="get_composition", responses={200: CompositionOut})
    def get(self, request: Request) -> Response:
        """How your answers are composed, and what that has taken this month."""
        tokens, cost = spending.this_month()
        return self.answer(
            CompositionOut(
                available=language_model.is_set(),
                policy=CompositionBody.model_validate(prompts.get(), from_attributes=True),
                tokens_this_month=tokens,
                cost_this_month=cost,
            )
        )

    @extend_schema(
        operation_id="put_composition",
        request=CompositionBody,
        responses={200: CompositionBody},
        examples=[
            OpenApiExample(
                "A budget", {"enabled": True, "tokens_a_month": 2_000_000}, request_only=True
            )
        ],
    )
    def put(self, request: Request) -> Response:
        """Set how your answers are composed. Past its budget the bot quotes your knowledge."""
        body = self.read(CompositionBody)
        return self.answer(prompts.put(body, actor=self.principal.actor))


class Prompts(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_prompts", parameters=[PageQuery], responses={200: page_of(PromptOut)}
    )
    def get(self, request: Request) -> Response:
        """All versions of your prompt, the newest first."""
        return page(self, Prompt.objects.all(), _out, ordering="-created_at")

    @extend_schema(
        operation_id="add_prompt",
        request=PromptIn,
        responses={201: PromptOut},
        examples=[
            OpenApiExample(
                "A tone", {"text": "Address customers formally. Two sentences."}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write a version of your prompt, used from now on; `put_composition` goes back to another."""
        prompt = prompts.write(self.read(PromptIn).text, actor=self.principal.actor)
        return self.answer(_out(prompt), status=201)


def _out(row: Prompt) -> PromptOut:
    return PromptOut.model_validate(row, from_attributes=True)
