"""The API of conversations, as they were held."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import PageQuery, View, page, page_of
from saas.chat.api.messages import SourceOut
from saas.chat.models import Conversation, Message


class ConversationOut(BaseModel):
    id: UUID
    customer: str
    language: str
    created_at: datetime
    updated_at: datetime


class StoredMessage(BaseModel):
    id: UUID
    author: Literal["customer", "bot"]
    text: str
    kind: str
    intent: str
    confidence: float | None
    sources: list[SourceOut]
    created_at: datetime


class WholeConversation(ConversationOut):
    messages: list[StoredMessage]


def _conversation_out(row: Conversation) -> ConversationOut:
    return ConversationOut.model_validate(row, from_attributes=True)


class Conversations(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(
        operation_id="list_conversations",
        parameters=[PageQuery],
        responses={200: page_of(ConversationOut)},
    )
    def get(self, request: Request) -> Response:
        """Conversations, the latest first."""
        return page(self, Conversation.objects.all(), _conversation_out, ordering="-updated_at")


class OneConversation(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(operation_id="get_conversation", responses={200: WholeConversation})
    def get(self, request: Request, id: UUID) -> Response:
        """One conversation with its newest 500 messages, the oldest of them first."""
        row = Conversation.objects.get(id=id)
        found: QuerySet[Message] = Message.objects.filter(conversation=row)
        messages = [
            StoredMessage.model_validate(message, from_attributes=True)
            for message in reversed(found.order_by("-created_at")[:500])
        ]
        whole = WholeConversation(**_conversation_out(row).model_dump(), messages=messages)
        return self.answer(whole)
