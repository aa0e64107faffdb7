"""The API of training examples."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, BatchResult, PageQuery, View, page, page_of, store_batch
from saas.training import examples
from saas.training.models import Example


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
