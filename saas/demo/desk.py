"""The chat box of the demo page: a question asked just as the API asks it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from ml.language import language_of
from saas.billing import quota, usage
from saas.billing.models import Kind
from saas.chat import answers, conversations
from saas.chat.models import Message
from saas.demo import words
from saas.demo.visitors import Visitor
from saas.errors import Problem
from tenants.scope import tenant_scope

LONGEST = 2_000  # characters, as in the API
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Turn:
    """One stored message: the language it is in, and the name of its kind to the visitor."""

    message: Message
    language: str
    kind: str

    @property
    def by_bot(self) -> bool:
        return self.message.author == Message.Author.BOT


def ask(tenant_id: UUID, visitor: Visitor, text: str) -> UUID:
    """Answer, store and meter one question; returns its conversation. Raises Problem."""
    text = _checked(text)
    with tenant_scope(tenant_id):
        known = visitor.conversation if turns(visitor, last=1) else None
        conversation_id = known or uuid4()
        plan = answers.plan(conversation_id)
        hold = quota.reserve(Kind.CHAT)
    try:
        # No transaction is held open while the encoder works.
        vectors = plan.encode(text)
        with tenant_scope(tenant_id):
            language = language_of(text)
            answer = answers.answer(text, plan=plan, vectors=vectors, language=language)
            exchange = conversations.store(
                conversation_id=conversation_id,
                new=known is None,
                customer=visitor.customer,
                text=text,
                language=language,
                answer=answer,
            )
            usage.record(key=f"message:{exchange.message_id}", kind=Kind.CHAT, api_key=None)
            quota.settle(hold)
    except Exception:
        with tenant_scope(tenant_id):
            quota.cancel(hold)
        raise
    return exchange.conversation_id


def turns(visitor: Visitor, last: int = SHOWN) -> list[Turn]:
    """The newest messages of the visitor's own conversation, the oldest of them first."""
    if visitor.conversation is None:
        return []
    own = Message.objects.filter(
        conversation_id=visitor.conversation, conversation__customer=visitor.customer
    )
    newest = own.order_by("-created_at", "author")[:last]
    kinds = words.TEXT[visitor.language]["kinds"]
    return [
        Turn(message, language_of(message.text), kinds.get(message.kind, ""))
        for message in reversed(newest)
    ]


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise Problem("No question.", code="empty")
    if len(text) > LONGEST:
        raise Problem(f"More than {LONGEST} characters.", code="too_long")
    if "\x00" in text:
        raise Problem("A NUL character.", code="unreadable")
    return text
