"""What is told of conversations: to the tenant's webhooks (docs/webhooks.md), and live."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from saas.chat import agents, live
from saas.chat.models import Conversation, Feedback, HandOff, Message, Note, Rating
from saas.webhooks import events


def said(*messages: Message) -> None:
    events.emit("message.created", *map(_message, messages))
    for message in messages:
        live.tell(message.conversation_id, "message", id=message.id, author=message.author)


def moved(conversation: Conversation) -> None:
    """Not for webhooks, which are told what moved it."""
    live.tell(conversation.id, "state", state=conversation.state)


def changed(conversation_id: UUID) -> None:
    """Something that agents alone see."""
    live.tell(conversation_id, "desk")


def noted(note: Note) -> None:
    live.tell(note.conversation_id, "note", agent=note.agent, mentions=note.mentions)


def requested(hand_off: HandOff) -> None:
    events.emit("hand_off.requested", _hand_off(hand_off))


def taken(hand_off: HandOff) -> None:
    events.emit("hand_off.taken", _hand_off(hand_off))


def ended(hand_off: HandOff) -> None:
    events.emit("hand_off.ended", _hand_off(hand_off))


def closed(conversation: Conversation) -> None:
    names = ("customer", "language", "created_at")
    told = {name: getattr(conversation, name) for name in names}
    events.emit("conversation.closed", {"conversation_id": conversation.id, **told})


def judged(feedback: Feedback) -> None:
    message, names = feedback.message, ("helpful", "comment", "given_at")
    told = {name: getattr(feedback, name) for name in names}
    ids = {"message_id": message.id, "conversation_id": message.conversation_id}
    events.emit("feedback.given", ids | told)


def rated(rating: Rating) -> None:
    told = {name: getattr(rating, name) for name in ("score", "comment", "given_at")}
    events.emit("rating.given", {"conversation_id": rating.conversation_id, **told})


def _message(message: Message) -> dict[str, Any]:
    names = ("author", "agent", "text", "kind", "sentiment", "intent", "confidence", "created_at")
    told = {name: getattr(message, name) for name in names}
    if message.agent:
        told["agent"] = agents.name(message.agent, message.conversation.language)
    return {"id": message.id, "conversation_id": message.conversation_id, **told}


def _hand_off(hand_off: HandOff) -> dict[str, Any]:
    names = ("reason", "note", "priority", "agent", "requested_at", "taken_at", "ended_at")
    told = {name: getattr(hand_off, name) for name in names}
    customer = hand_off.conversation.customer
    ids = {"id": hand_off.id, "conversation_id": hand_off.conversation_id, "customer": customer}
    return ids | told
