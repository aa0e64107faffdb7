"""The API of what agents do beside answering, for a desk of the tenant's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, Body, PageQuery, View, page, page_of
from saas.chat import canned, desk
from saas.chat.api.inbox import READ, WRITE, Agent, HandOffOut, Said, out
from saas.chat.models import Canned, HandOff, Note

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40, pattern=rows.NAME)
]


class AssignIn(Body):
    to: str = rows.text(128, says="Your own id of the person")


class SnoozeIn(Agent):
    until: rows.Moment = Field(description="The customer's next message ends it sooner")


class MergedInto(Agent):
    into: UUID = Field(description="An open hand-off of the same customer")


class TagsIn(Body):
    tags: list[Name] = Field(max_length=desk.MOST_TAGS, description="In place of those before")


class TagsOut(BaseModel):
    tags: list[str]


class NoteOut(BaseModel):
    id: UUID
    agent: str
    text: str
    mentions: list[str] = Field(description="Whom it names with @")
    created_at: datetime


class CannedOut(BaseModel):
    id: UUID
    name: str
    language: rows.Language
    text: str
    created_at: datetime


class CannedIn(canned.CannedRow, Body):
    """A reply that agents send again and again."""


def _example(name: str, value: object) -> OpenApiExample:
    return OpenApiExample(name, value, request_only=True)


class AssignHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="assign_hand_off",
        request=AssignIn,
        responses={200: HandOffOut},
        examples=[_example("To Li", {"to": "li"})],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Have somebody in particular answer from now on."""
        return self.answer(out(desk.assign(id, to=self.read(AssignIn).to)))


class SnoozeHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="snooze_hand_off",
        request=SnoozeIn,
        responses={200: HandOffOut},
        examples=[_example("A day", {"agent": "mei", "until": "2099-01-01T09:00:00Z"})],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Put it out of sight for a while."""
        body = self.read(SnoozeIn)
        return self.answer(out(desk.snooze(id, until=body.until, agent=body.agent)))


class MergeHandOff(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="merge_hand_off",
        request=MergedInto,
        responses={200: HandOffOut},
        examples=[
            _example("Two of one", {"agent": "mei", "into": "01890a5d-ac96-774b-bcce-b302099a8057"})
        ],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Go on in another open one of the same customer, which is the answer."""
        body = self.read(MergedInto)
        return self.answer(out(desk.merge(id, into=body.into, agent=body.agent)))


class HandOffTags(View):
    scopes = {"PUT": WRITE}

    @extend_schema(
        operation_id="tag_hand_off",
        request=TagsIn,
        responses={200: TagsOut},
        examples=[_example("Two", {"tags": ["refund", "vip"]})],
    )
    def put(self, request: Request, id: UUID) -> Response:
        """Set the tags of a hand-off's conversation."""
        conversation_id = HandOff.objects.get(id=id).conversation_id
        return self.answer(TagsOut(tags=desk.tag(conversation_id, self.read(TagsIn).tags)))


class HandOffNotes(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_notes", parameters=[PageQuery], responses={200: page_of(NoteOut)}
    )
    def get(self, request: Request, id: UUID) -> Response:
        """What agents noted in a hand-off's conversation, the newest first."""
        conversation_id = HandOff.objects.get(id=id).conversation_id
        found = Note.objects.filter(conversation=conversation_id)
        return page(self, found, _note, ordering="-created_at")

    @extend_schema(
        operation_id="write_note",
        request=Said,
        responses={201: NoteOut},
        examples=[_example("A note", {"agent": "mei", "text": "@li knows this customer."})],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Tell colleagues something. The customer never sees it."""
        body, row = self.read(Said), HandOff.objects.get(id=id)
        written = desk.note(row.conversation_id, body.text, agent=body.agent)
        return self.answer(_note(written), status=201)


class CannedReplies(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_canned_replies",
        parameters=[PageQuery],
        responses={200: page_of(CannedOut)},
    )
    def get(self, request: Request) -> Response:
        """Replies that agents send again and again, the newest first."""
        return page(self, Canned.objects.all(), _canned, ordering="-created_at")

    @extend_schema(
        operation_id="put_canned_reply",
        request=CannedIn,
        responses={200: CannedOut},
        examples=[
            _example(
                "A greeting",
                {"name": "hi", "language": "en", "text": "Hello {{customer}}, {{agent}} here."},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Keep a canned reply, in place of one of the same name and language."""
        return self.answer(_canned(canned.put(self.read(CannedIn))))


class OneCannedReply(View):
    scopes = {"DELETE": WRITE}

    @extend_schema(operation_id="delete_canned_reply", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete a canned reply."""
        canned.remove(id)
        return Response(status=204)


def _note(row: Note) -> NoteOut:
    return NoteOut.model_validate(row, from_attributes=True)


def _canned(row: Canned) -> CannedOut:
    return CannedOut.model_validate(row, from_attributes=True)
