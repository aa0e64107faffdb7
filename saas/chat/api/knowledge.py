"""The API of knowledge: question-answer pairs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, BatchResult, PageQuery, View, page, page_of, store_batch
from saas.chat import knowledge
from saas.chat.models import Passage


class KnowledgeRows(
    RootModel[Annotated[list[knowledge.PassageRow], Field(min_length=1, max_length=1000)]]
):
    """Up to 1,000 question-answer pairs."""


class PassageOut(BaseModel):
    id: UUID
    question: str
    answer: str
    language: str
    source: str
    taught_by: str = Field(
        description="Who set an answer of the bot right by it: new versions must not lose it"
    )
    product: str
    audience: str
    valid_from: date | None
    valid_until: date | None
    suspect: bool = Field(
        description="It gives orders to language models: none reads it until released"
    )
    created_at: datetime


class Knowledge(View):
    scopes = {"GET": "knowledge:read", "POST": "knowledge:write"}

    @extend_schema(
        operation_id="list_knowledge", parameters=[PageQuery], responses={200: page_of(PassageOut)}
    )
    def get(self, request: Request) -> Response:
        """Question-answer pairs, the newest first."""
        queryset = Passage.objects.filter(document=None).defer(*knowledge.VECTORS)
        return page(
            self,
            queryset,
            lambda row: PassageOut.model_validate(row, from_attributes=True),
            ordering="-created_at",
        )

    @extend_schema(
        operation_id="write_knowledge",
        request=KnowledgeRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One pair",
                [
                    {
                        "question": "Do you ship batteries?",
                        "answer": "Yes, inside the device and by road.",
                        "language": "en",
                        "source": "shipping-guide",
                    }
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write question-answer pairs, up to 1,000. A question that is there gets the new answer.

        They are searchable a moment later.
        """
        return store_batch(knowledge.KIND, request.data)


class OnePassage(View):
    scopes = {"GET": "knowledge:read", "DELETE": "knowledge:write"}

    @extend_schema(operation_id="get_passage", responses={200: PassageOut})
    def get(self, request: Request, id: UUID) -> Response:
        """One question-answer pair."""
        row = Passage.objects.defer(*knowledge.VECTORS).get(id=id, document=None)
        return self.answer(PassageOut.model_validate(row, from_attributes=True))

    @extend_schema(operation_id="delete_passage", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete a question-answer pair: no answer after this one rests on it."""
        knowledge.remove(id)
        return Response(status=204)
