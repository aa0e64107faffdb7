"""Conversations and their messages."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from saas.chat.answers import Answer
from saas.chat.models import Conversation, Message


@dataclass(frozen=True, slots=True)
class Exchange:
    """A customer's message and the bot's answer to it, as stored."""

    conversation_id: UUID
    message_id: UUID


def check(conversation_id: UUID) -> None:
    """Raises Conversation.DoesNotExist where the current tenant has no such conversation."""
    Conversation.objects.only("id").get(id=conversation_id)


def store(
    *, conversation_id: UUID | None, customer: str, text: str, language: str, answer: Answer
) -> Exchange:
    """Add a message and its answer to a conversation, or begin one."""
    now = timezone.now()
    if conversation_id is None:
        conversation_id = Conversation.objects.create(customer=customer, language=language).id
    elif not Conversation.objects.filter(id=conversation_id).update(updated_at=now):
        raise Conversation.DoesNotExist
    asked = Message(
        conversation_id=conversation_id,
        author=Message.Author.CUSTOMER,
        text=text,
        created_at=now,
    )
    answered = Message(
        conversation_id=conversation_id,
        author=Message.Author.BOT,
        text=answer.text,
        kind=answer.kind,
        intent=answer.intent or "",
        confidence=answer.confidence,
        sources=[source.as_json() for source in answer.sources],
        model_version=answer.model_version,
        created_at=timezone.now(),
    )
    Message.objects.bulk_create([asked, answered])
    return Exchange(conversation_id, answered.id)
