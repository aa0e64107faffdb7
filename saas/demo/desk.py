"""The chat box of the demo page: a question asked just as the API asks it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from ml.language import language_of
from saas.chat import dialog
from saas.chat.models import Message
from saas.demo import words
from saas.demo.visitors import Visitor
from saas.errors import Problem
from tenants.scope import tenant_scope

LONGEST = 2_000  # characters, as in the API
SHOWN = 50
BY_INTENT = ("reply", "action", "ask", "fallback")  # kinds of answers


@dataclass(frozen=True, slots=True)
class Turn:
    """One stored message: the language it is in, and the name of its kind to the visitor."""

    message: Message
    language: str
    kind: str

    @property
    def by_bot(self) -> bool:
        """Or by a person on the bot's side."""
        return self.message.author != Message.Author.CUSTOMER

    @property
    def intent(self) -> str:
        """What it was taken for, where that has to do with the answer."""
        return self.message.intent if self.message.kind in BY_INTENT else ""


def ask(tenant_id: UUID, visitor: Visitor, text: str) -> UUID:
    """Answer, store and meter one question; returns its conversation. Raises Problem."""
    text = _checked(text)
    with tenant_scope(tenant_id):
        known = visitor.conversation if turns(visitor, last=1) else None
    said = dialog.Said(text, language_of(text), known, customer=visitor.customer)
    return dialog.Turn(
        said,
        scope=partial(tenant_scope, tenant_id),
        api_key=None,
        begin=lambda: None,
        end=lambda told: told.conversation_id,
    ).say()


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
        Turn(message, language_of(message.text), kinds.get(message.kind or message.author, ""))
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
