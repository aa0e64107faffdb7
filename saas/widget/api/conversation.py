"""A visitor's own conversations: what was said, where they stand, and what can be done with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rates, rows
from saas.api import Body
from saas.chat import (
    actions,
    attachments,
    conversations,
    feedback,
    handoffs,
    live,
    policy,
    transcripts,
    waiting,
)
from saas.chat.api.feedback import FeedbackIn, RatingIn
from saas.chat.api.messages import CitationOut, ItemShown, OptionOut, SourceOut
from saas.chat.models import Conversation, Feedback, Message, Rating
from saas.errors import Problem
from saas.rates import TooManyRequests
from saas.widget import mail
from saas.widget.api.base import VisitorView

SHOWN = 50
OVERLAP = timedelta(seconds=10)  # what was begun before another was, and stored after it
TRANSCRIPTS = "3/hour"
ADDRESS = r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,180}\.[^@\s\x00-\x1f\x7f.]{2,60}$"


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


class ShortConversation(BaseModel):
    id: UUID
    state: str
    updated_at: datetime


class Since(Body):
    after: rows.Moment | None = None
    before: rows.Moment | None = None


class Begin(Body):
    conversation_id: UUID | None = None
    contact: dict[str, str] = Field(default={}, max_length=2)


class Mail(Body):
    address: str = Field(max_length=254, pattern=ADDRESS)


class Conversations(VisitorView):
    scopes = {"GET": "chat"}

    def get(self, request: Request) -> Response:
        """The visitor's own conversations, the latest first."""
        found = conversations.of(self.visitor.name).order_by("-updated_at")[:SHOWN]
        shown = [ShortConversation.model_validate(row, from_attributes=True) for row in found]
        return Response([one.model_dump(mode="json") for one in shown])


class OneConversation(VisitorView):
    scopes = {"GET": "chat"}

    def get(self, request: Request, id: UUID) -> Response:
        """Where it stands, and its messages: the newest, those after a moment, or those before one.

        Those shortly before `after` come once more: one of them may have been stored since.
        """
        row, since = self.own(id), self.query(Since)
        return self.answer(_seen(row, since))


class HandOff(VisitorView):
    scopes = {"POST": "chat"}

    def post(self, request: Request) -> Response:
        """Ask for a person; without a conversation one is begun."""
        body = self.read(Begin)
        if body.conversation_id:
            row = self.own(body.conversation_id)
            if row.state == Conversation.State.CLOSED:
                handoffs.reopen(handoffs.lock(row.id))
            id = row.id
        else:
            id = conversations.begin(self.visitor.name, language=self.language)
            if body.contact:
                conversations.reach(id, contact=contact(body.contact))
        handoffs.request(id, reason="asked", priority=handoffs.URGENT)
        return self.answer(_seen(self.own(id), Since()))


class Close(VisitorView):
    scopes = {"POST": "chat"}

    def post(self, request: Request, id: UUID) -> Response:
        """End it."""
        row = self.own(id)
        if row.state != Conversation.State.CLOSED:
            handoffs.finish(row.id)
        return Response(status=204)


class Typing(VisitorView):
    scopes = {"POST": "chat"}
    idempotent = False

    def post(self, request: Request, id: UUID) -> Response:
        """Let the agent see that the customer writes."""
        live.tell(self.own(id).id, "typing", author="customer")
        return Response(status=204)


class Rate(VisitorView):
    scopes = {"POST": "chat"}

    def post(self, request: Request, id: UUID) -> Response:
        """Rate the whole conversation, 1 to 5."""
        body = self.read(RatingIn)
        feedback.rate(self.own(id).id, score=body.score, comment=body.comment)
        return Response(status=204)


class Judge(VisitorView):
    scopes = {"POST": "chat"}

    def post(self, request: Request, id: UUID) -> Response:
        """Say whether an answer helped."""
        body = self.read(FeedbackIn)
        message = Message.objects.get(id=id, author=Message.Author.BOT)
        self.own(message.conversation_id)
        feedback.give(id, helpful=body.helpful, comment=body.comment)
        return Response(status=204)


class Transcript(VisitorView):
    scopes = {"POST": "chat"}

    def post(self, request: Request, id: UUID) -> Response:
        """Send the conversation by e-mail."""
        body, row = self.read(Mail), self.own(id)
        if not mail.is_set():
            raise Problem("EMAIL_URL is not set.", code="no_email")
        if wait := rates.over(TRANSCRIPTS, f"transcript:{row.tenant_id}:{self.visitor.id}"):
            raise TooManyRequests("Too many transcripts.", wait=wait)
        transcripts.queue(row.id, body.address)
        return Response(status=202)


def contact(given: dict[str, str]) -> dict[str, str]:
    """Of what the widget asked for before the first message, what is one: short texts of known names."""
    kept = {name: " ".join(given.get(name, "").split())[:200] for name in ("name", "email")}
    return {name: value for name, value in kept.items() if value}


def _seen(row: Conversation, since: Since) -> SeenConversation:
    standing = waiting.standing(row)
    found, more = _messages(row, since)
    score = Rating.objects.filter(conversation=row).values_list("score", flat=True).first()
    last = found[-1] if found else None
    return SeenConversation(
        id=row.id,
        state=standing.state,
        position=standing.position,
        agent=standing.agent,
        open=policy.get().is_open(),
        updated_at=row.updated_at,
        score=score,
        more=more,
        messages=[_message(message, last=message is last) for message in found],
    )


def _messages(row: Conversation, since: Since) -> tuple[list[Message], bool]:
    """In their order, and whether there are older ones."""
    judged = Prefetch("feedback", Feedback.objects.all())
    said: QuerySet[Message] = Message.objects.filter(conversation=row)
    said = said.prefetch_related(judged, "attachments")
    if since.after:
        later = said.filter(created_at__gte=since.after - OVERLAP)
        return list(later.order_by("created_at", "id")[:200]), False
    older = said.filter(created_at__lt=since.before) if since.before else said
    newest = list(older.order_by("-created_at", "-id")[: SHOWN + 1])
    return newest[:SHOWN][::-1], len(newest) > SHOWN


def _message(row: Message, *, last: bool) -> SeenMessage:
    judged = next(iter(row.feedback.all()), None)
    names = ("id", "author", "agent", "text", "kind", "sources", "citations", "options", "items")
    given: dict[str, Any] = {name: getattr(row, name) for name in names}
    return SeenMessage(
        **given,
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
