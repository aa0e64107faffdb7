"""The API of approved replies."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, BatchResult, PageQuery, View, page, page_of, store_batch
from saas.chat import replies
from saas.chat.models import Reply


class ReplyRows(RootModel[Annotated[list[replies.ReplyRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 approved replies."""


class ReplyOut(BaseModel):
    id: UUID
    intent: str
    language: str
    text: str
    title: str


class Replies(View):
    scopes = {"GET": "knowledge:read", "POST": "knowledge:write"}

    @extend_schema(
        operation_id="list_replies", parameters=[PageQuery], responses={200: page_of(ReplyOut)}
    )
    def get(self, request: Request) -> Response:
        """Approved replies, by intent."""
        return page(
            self,
            Reply.objects.all(),
            lambda row: ReplyOut.model_validate(row, from_attributes=True),
            ordering="name",
        )

    @extend_schema(
        operation_id="write_replies",
        request=ReplyRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One reply",
                [{"intent": "refund_status", "language": "en", "text": "Refunds take 5 days."}],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write approved replies, up to 1,000. One of an intent and language replaces the one there."""
        return store_batch(replies.KIND, request.data)


class OneReply(View):
    scopes = {"DELETE": "knowledge:write"}

    @extend_schema(operation_id="delete_reply", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete an approved reply."""
        replies.remove(id)
        return Response(status=204)
