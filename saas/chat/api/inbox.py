"""The API of the inbox: conversations that wait for a person, and what agents do with them."""

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
from saas.chat import answers, handoffs, inbox, policy
from saas.chat.api.conversations import StoredMessage
from saas.chat.models import HandOff, Message

READ, WRITE = "inbox", "inbox:write"
TRANSCRIPT = 200  # the newest messages
MEI = OpenApiExample("An agent", {"agent": "mei"}, request_only=True)


class HandOffOut(BaseModel):
    id: UUID
    conversation_id: UUID
    customer: str
    language: str
    state: Literal["bot", "waiting", "agent", "closed"]
    reason: Literal["asked", "unsure", "rule", "safety", "call"] = Field(
        description="The customer asked, the bot was unsure, a rule, what they said, or an API call"
    )
    note: str
    priority: int
    agent: str
    requested_at: datetime
    taken_at: datetime | None = Field(description="When a person first took it")
    ended_at: datetime | None
    snoozed_until: datetime | None
    seconds_to_person: float | None = Field(description="From the request until a person took it")


class SuggestionOut(BaseModel):
    text: str
    source: str


class WholeHandOff(HandOffOut):
    summary: str
    messages: list[StoredMessage]
    suggestions: list[SuggestionOut] = Field(
        description="What could be answered to the last message"
    )


class InboxQuery(PageQuery):
    state: Literal["waiting", "agent"] | None = Field(default=None, description="Not given: both")


class Agent(Body):
    agent: str = rows.text(128, says="Your own id of the person")


class Said(Agent):
    text: str = rows.text(4_000)


def out(row: HandOff) -> HandOffOut:
    conversation, taken = row.conversation, row.taken_at
    return HandOffOut(
        id=row.id,
        conversation_id=conversation.id,
        customer=conversation.customer,
        language=conversation.language,
        state=conversation.state,  # type: ignore[arg-type]
        reason=row.reason,  # type: ignore[arg-type]
        note=row.note,
        priority=row.priority,
        agent=row.agent,
        requested_at=row.requested_at,
        taken_at=taken,
        ended_at=row.ended_at,
        snoozed_until=row.snoozed_until,
        seconds_to_person=(taken - row.requested_at).total_seconds() if taken else None,
    )


class Inbox(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_inbox", parameters=[InboxQuery], responses={200: page_of(HandOffOut)}
    )
    def get(self, request: Request) -> Response:
        """Conversations that wait for a person or have one, the most urgent first."""
        state = self.query(InboxQuery).state
        waiting = None if state is None else state == "waiting"
        found = handoffs.queue(waiting=waiting)
        return page(self, found, out, ordering=("-priority", "requested_at"), query=InboxQuery)


class OneHandOff(View):
    scopes = {"GET": READ}
    scoped = False  # no transaction is held open while the encoder works

    @extend_schema(operation_id="get_hand_off", responses={200: WholeHandOff})
    def get(self, request: Request, id: UUID) -> Response:
        """One hand-off with all that an agent needs. Not billed."""
        with self.scope():
            row = HandOff.objects.select_related("conversation").get(id=id)
            messages = _transcript(row)
            plan = answers.plan(row.conversation_id)
        asked = [m.text for m in messages if m.author == Message.Author.CUSTOMER]
        vectors = plan.encode(asked[-1]) if asked else None
        language = row.conversation.language
        with self.scope():
            found = (
                inbox.suggestions(asked[-1], plan=plan, vectors=vectors, language=language)
                if vectors is not None
                else []
            )
        whole = WholeHandOff(
            **out(row).model_dump(),
            summary=inbox.summary(messages, language=language),
            messages=[StoredMessage.model_validate(m, from_attributes=True) for m in messages],
            suggestions=[SuggestionOut(text=s.text, source=s.source) for s in found],
        )
        return self.answer(whole)


class TakeHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="take_hand_off",
        request=Agent,
        responses={200: HandOffOut},
        examples=[MEI],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Answer from now on. Taken again by the same person, it stays as it is."""
        row = handoffs.take(id, agent=self.read(Agent).agent)
        return self.answer(out(row))


class SayInHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="say_in_hand_off",
        request=Said,
        responses={201: StoredMessage},
        examples=[
            OpenApiExample(
                "A greeting", {"agent": "mei", "text": "Hello, Mei here."}, request_only=True
            )
        ],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Write to the customer, as the agent who has taken it. Not billed."""
        body = self.read(Said)
        said = handoffs.say(id, body.text, agent=body.agent)
        out = StoredMessage.model_validate(said, from_attributes=True)
        return self.answer(out, status=201)


class ReleaseHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="release_hand_off",
        request=Agent,
        responses={200: HandOffOut},
        examples=[MEI],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Put it back into the queue, for another agent."""
        row = handoffs.release(id, agent=self.read(Agent).agent)
        return self.answer(out(row))


class HandBack(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="hand_back",
        request=Agent,
        responses={200: HandOffOut},
        examples=[MEI],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Let the bot answer again."""
        row = handoffs.hand_back(id, agent=self.read(Agent).agent)
        return self.answer(out(row))


class CloseHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="close_hand_off",
        request=Agent,
        responses={200: HandOffOut},
        examples=[MEI],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """End the conversation."""
        row = handoffs.close(id, agent=self.read(Agent).agent)
        return self.answer(out(row))


class PolicyBody(policy.Policy, Body):
    """When conversations go to a person by themselves, and when people are there."""


class OnePolicy(View):
    scopes = {"GET": READ, "PUT": WRITE}

    @extend_schema(operation_id="get_hand_off_policy", responses={200: PolicyBody})
    def get(self, request: Request) -> Response:
        """When conversations go to a person by themselves, and when people are there."""
        return self.answer(policy.get())

    @extend_schema(
        operation_id="put_hand_off_policy",
        request=PolicyBody,
        responses={200: PolicyBody},
        examples=[
            OpenApiExample(
                "Weekdays, complaints first",
                {
                    "unsure_after": 2,
                    "timezone": "Asia/Shanghai",
                    "hours": {"mon": [{"start": "09:00", "end": "18:00"}]},
                    "rules": [{"intent": "complaint", "priority": 5}],
                },
                request_only=True,
            )
        ],
    )
    def put(self, request: Request) -> Response:
        """Set when conversations go to a person. Who asks for one gets one whatever it says."""
        body = self.read(PolicyBody)
        return self.answer(policy.put(body, actor=self.principal.actor))


def _transcript(row: HandOff) -> list[Message]:
    found: QuerySet[Message] = Message.objects.filter(conversation=row.conversation)
    return list(reversed(found.order_by("-created_at")[:TRANSCRIPT]))
