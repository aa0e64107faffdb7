"""The API of conversations, as they were held."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, PageQuery, View, page, page_of
from saas.chat import agents, conversations, handoffs, policy
from saas.chat.api.messages import CitationOut, ItemShown, OptionOut, SourceOut
from saas.chat.models import Conversation, Message


class ConversationOut(BaseModel):
    id: UUID
    customer: str
    language: str
    state: Literal["bot", "waiting", "agent", "closed"]
    created_at: datetime
    updated_at: datetime


class StoredMessage(BaseModel):
    id: UUID
    author: Literal["customer", "bot", "agent"]
    agent: str = Field(
        description="Who wrote it, of an agent's message: by the name that customers see; in the "
        "inbox by your own id"
    )
    text: str
    kind: str
    sentiment: str = Field(
        description="Of a customer's message to the bot: neutral, negative (upset) or positive"
    )
    intent: str
    confidence: float | None
    sources: list[SourceOut]
    citations: list[CitationOut]
    understood: str
    options: list[OptionOut]
    items: list[ItemShown]
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
        named = agents.names((message.agent for message in messages), row.language)
        for message in messages:
            message.agent = named[message.agent]
        whole = WholeConversation(**_conversation_out(row).model_dump(), messages=messages)
        return self.answer(whole)


class HandOffIn(Body):
    note: str = rows.optional_text(2_000, says="What the agent should know")
    priority: int = Field(
        default=handoffs.URGENT, ge=0, le=policy.HIGHEST, description="9 is first"
    )


class HandOffState(BaseModel):
    conversation_id: UUID
    state: Literal["bot", "waiting", "agent", "closed"]


class HandOffConversation(View):
    scopes = {"POST": "chat"}

    @extend_schema(
        operation_id="hand_off",
        request=HandOffIn,
        responses={200: HandOffState},
        examples=[OpenApiExample("A note", {"note": "Called twice."}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Ask for a person; the bot is silent from now on. Asked again, it stays as it is."""
        body = self.read(HandOffIn)
        handoffs.request(id, reason="call", priority=body.priority, note=body.note)
        return self.answer(_state_of(id))


class CloseConversation(View):
    scopes = {"POST": "chat"}

    @extend_schema(operation_id="close_conversation", request=None, responses={200: HandOffState})
    def post(self, request: Request, id: UUID) -> Response:
        """End a conversation. The customer's next message opens it again, with the bot."""
        handoffs.finish(id)
        return self.answer(_state_of(id))


def _state_of(conversation_id: UUID) -> HandOffState:
    state = conversations.state_of(conversation_id)
    return HandOffState(conversation_id=conversation_id, state=state)  # type: ignore[arg-type]
