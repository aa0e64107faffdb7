"""A visitor's own conversations: what was said, where they stand, and what can be done with them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import mail, rates
from saas.api import Body
from saas.chat import conversations, feedback, handoffs, live, transcripts
from saas.chat.api.feedback import FeedbackIn, RatingIn
from saas.chat.models import Conversation, Message
from saas.errors import Problem
from saas.rates import TooManyRequests
from saas.widget.api import seen
from saas.widget.api.base import VisitorView

TRANSCRIPTS = "3/hour"
ADDRESS = r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,180}\.[^@\s\x00-\x1f\x7f.]{2,60}$"


class ShortConversation(BaseModel):
    id: UUID
    state: str
    updated_at: datetime


class Begin(Body):
    conversation_id: UUID | None = None
    contact: dict[str, str] = Field(default={}, max_length=2)


class Mail(Body):
    address: str = Field(max_length=254, pattern=ADDRESS)


class Conversations(VisitorView):
    scopes = {"GET": "chat"}

    def get(self, request: Request) -> Response:
        """The visitor's own conversations, the latest first."""
        found = conversations.of(self.visitor.name).order_by("-updated_at")[: seen.SHOWN]
        shown = [ShortConversation.model_validate(row, from_attributes=True) for row in found]
        return Response([one.model_dump(mode="json") for one in shown])


class OneConversation(VisitorView):
    scopes = {"GET": "chat"}

    def get(self, request: Request, id: UUID) -> Response:
        """Where it stands, and its messages: the newest, those after a moment, or those before one.

        Those shortly before `after` come once more: one of them may have been stored since.
        """
        row, since = self.own(id), self.query(seen.Since)
        return self.answer(seen.seen(row, since, widget=self.visitor.key_id))


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
        return self.answer(seen.seen(self.own(id), seen.Since(), widget=self.visitor.key_id))


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
