"""A conversation as its customer sees it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from pydantic import BaseModel, Field

from saas import rows
from saas.api import Body
from saas.chat import actions, agents, attachments, conversations, policy, waiting
from saas.chat.api.messages import CitationOut, ItemShown, OptionOut, SourceOut
from saas.chat.models import Conversation, Feedback, Message, Rating

SHOWN = 50
OVERLAP = timedelta(seconds=10)  # what was begun before another was, and stored after it


class FileOut(BaseModel):
    name: str
    type: str
    size: int
    path: str


class AskOut(BaseModel):
    """What the bot waits for."""

    slot: str
    kind: str
    choices: list[str]


class SeenMessage(BaseModel):
    """A message as its customer sees it."""

    id: UUID
    author: str
    agent: str
    text: str
    kind: str
    at: datetime
    sources: list[SourceOut]
    citations: list[CitationOut]
    options: list[OptionOut]
    items: list[ItemShown]
    ask: AskOut | None
    files: list[FileOut]
    helpful: bool | None


class SeenConversation(BaseModel):
    id: UUID
    state: str
    position: int | None
    agent: str
    open: bool
    updated_at: datetime
    score: int | None
    more: bool = Field(description="Whether older messages are there")
    messages: list[SeenMessage]


class Since(Body):
    after: rows.Moment | None = None
    before: rows.Moment | None = None


def seen(row: Conversation, since: Since, *, widget: UUID) -> SeenConversation:
    """Where it stands, with its messages: the newest, those after a moment, or those before one."""
    standing = waiting.standing(row)
    found, more = _messages(row, since)
    score = Rating.objects.filter(conversation=row).values_list("score", flat=True).first()
    last = found[-1] if found else None
    named = agents.names((message.agent for message in found), row.language)
    return SeenConversation(
        id=row.id,
        state=standing.state,
        position=standing.position,
        agent=standing.agent,
        open=policy.get(widget).is_open(),
        updated_at=row.updated_at,
        score=score,
        more=more,
        messages=[
            _message(message, agent=named[message.agent], last=message is last) for message in found
        ],
    )


def _messages(row: Conversation, since: Since) -> tuple[list[Message], bool]:
    """In their order, and whether there are older ones."""
    judged = Prefetch("feedback", Feedback.objects.all())
    said: QuerySet[Message] = Message.objects.filter(conversation__in=conversations.parts(row.id))
    said = said.prefetch_related(judged, "attachments")
    if since.after:
        later = said.filter(created_at__gte=since.after - OVERLAP)
        return list(later.order_by("created_at", "id")[:200]), False
    older = said.filter(created_at__lt=since.before) if since.before else said
    newest = list(older.order_by("-created_at", "-id")[: SHOWN + 1])
    return newest[:SHOWN][::-1], len(newest) > SHOWN


def _message(row: Message, *, agent: str, last: bool) -> SeenMessage:
    judged = next(iter(row.feedback.all()), None)
    names = ("id", "author", "text", "kind", "sources", "citations", "options", "items")
    given: dict[str, Any] = {name: getattr(row, name) for name in names}
    return SeenMessage(
        **given,
        agent=agent,
        at=row.created_at,
        ask=_ask(row) if last else None,
        files=[
            FileOut(name=f.name, type=f.type, size=f.size, path=attachments.link(f))
            for f in row.attachments.all()
        ],
        helpful=judged.helpful if judged else None,
    )


def _ask(row: Message) -> AskOut | None:
    """The slot that is asked for, while its action is there."""
    wanted = row.form.get("slot")
    action = actions.find(row.form["intent"]) if wanted else None
    if action is None:
        return None
    for slot in action.slots:
        if slot["name"] == wanted:
            choices = list(slot.get("choices") or [])
            return AskOut(slot=wanted, kind=slot["kind"], choices=choices)
    return None
