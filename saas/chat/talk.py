"""A customer's message, and what was said before it, as far as the answer needs that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from saas.chat.answers import ANSWERS
from saas.chat.models import Message

LOOKED_AT = 12  # messages
ABOUT_SOMETHING = (*ANSWERS, "clarify", "ask", "fallback")


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer's message to the bot; `sentiment` is how they seem to feel (`ml.sentiment`).

    `widget` is the key of the one that they write in, where it is one.
    """

    conversation_id: UUID
    text: str
    language: str
    customer: str = ""
    product: str = ""
    audience: str = ""
    widget: UUID | None = None
    sentiment: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """What a conversation has come to.

    `question` is the customer's last one, as it was understood. The rest is of the bot's last answer:
    its kind, what it let the customer choose from, and the form it asked to fill; empty where a
    person spoke after it.
    """

    question: str = ""
    kind: str = ""
    options: list[dict[str, str]] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)


def read(conversation_id: UUID) -> Talk:
    """The current tenant's conversation so far; empty where there is none."""
    found = Message.objects.filter(conversation_id=conversation_id).order_by("-created_at")
    newest = list(found.only("author", "kind", "text", "understood", "options", "form")[:LOOKED_AT])
    last = next((m for m in newest if m.author != Message.Author.CUSTOMER), None)
    if last is None:
        return Talk()
    return Talk(_question(newest), last.kind, last.options, last.form)


def _question(newest: list[Message]) -> str:
    answered: Message | None = None
    for message in newest:
        if message.author == Message.Author.BOT and message.kind in ABOUT_SOMETHING:
            answered = message
        elif message.author == Message.Author.CUSTOMER and answered is not None:
            return answered.understood or message.text
    return ""
