"""What an agent does in the inbox. Each is the API's own function, and answers with the new state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from pydantic import Field

from saas import rows
from saas.api import Body, validated
from saas.chat import desk, handoffs, presence, teaching
from saas.chat.models import HandOff
from saas.errors import Problem
from saas.portal import frame, inbox, permissions
from saas.portal.words import of as words_of
from tenants import members


class Text(Body):
    text: str = rows.text(4_000)


class Tags(Body):
    tags: str = rows.optional_text(1_000)


class Hours(Body):
    hours: int = Field(ge=1, le=24 * 14)


class To(Body):
    to: str = rows.text(128)


class Into(Body):
    into: UUID


class Lesson(Body):
    message: UUID
    intent: str = rows.optional_text(128)
    answer: str = rows.optional_text(4_000)


Act = Callable[[HandOff, str, dict[str, Any]], Any]


def _assign(row: HandOff, me: str, given: dict[str, Any]) -> None:
    to = validated(To, given).to
    if to not in inbox.colleagues():
        raise Problem(f"Nobody here is called {to!r}.", code="invalid")
    desk.assign(row.id, to=to)


def _snooze(row: HandOff, me: str, given: dict[str, Any]) -> None:
    until = timezone.now() + timedelta(hours=validated(Hours, given).hours)
    desk.snooze(row.id, until=until, agent=me)


def _merge(row: HandOff, me: str, given: dict[str, Any]) -> None:
    desk.merge(row.id, into=validated(Into, given).into, agent=me)


def _tag(row: HandOff, me: str, given: dict[str, Any]) -> None:
    named = validated(Tags, given).tags.replace("，", ",").split(",")
    if any(len(name.strip()) > 40 for name in named):
        raise Problem("A tag has at most 40 characters.", code="invalid")
    desk.tag(row.conversation_id, named)


ACTS: dict[str, Act] = {
    "take": lambda row, me, given: handoffs.take(row.id, agent=me),
    "release": lambda row, me, given: handoffs.release(row.id, agent=me),
    "hand-back": lambda row, me, given: handoffs.hand_back(row.id, agent=me),
    "close": lambda row, me, given: handoffs.close(row.id, agent=me),
    "say": lambda row, me, given: handoffs.say(row.id, validated(Text, given).text, agent=me),
    "note": lambda row, me, given: desk.note(
        row.conversation_id, validated(Text, given).text, agent=me
    ),
    "wake": lambda row, me, given: desk.wake(row.id),
    "assign": _assign,
    "snooze": _snooze,
    "merge": _merge,
    "tag": _tag,
}


@frame.page("inbox.write", methods=("POST",))
def act(request: HttpRequest, id: UUID, act: str) -> HttpResponse:
    row = HandOff.objects.get(id=id)
    if act not in ACTS:
        raise HandOff.DoesNotExist
    # Who is removed meanwhile takes nothing that nobody would get back.
    member = members.hold(frame.member_of(request))
    if not permissions.may(member.role, "inbox.write"):
        return frame.notice(request, "forbidden", 403)
    ACTS[act](row, member.agent, _given(request))
    return inbox.shown(request, id)


@frame.page("inbox.teach", methods=("POST",))
def teach(request: HttpRequest, id: UUID) -> HttpResponse:
    """What an answer of the bot in this conversation should have been."""
    row, lesson = HandOff.objects.get(id=id), validated(Lesson, _given(request))
    row.conversation.messages.get(id=lesson.message)
    actor, said = frame.member_of(request).user.email, words_of(request)["inbox"]
    if not lesson.intent and not lesson.answer:
        raise Problem("Write the intent, or the answer.", code="invalid")
    if lesson.intent:
        teaching.intent(lesson.message, lesson.intent, actor=actor)
    if lesson.answer:
        teaching.answer(lesson.message, lesson.answer, actor=actor)
    told = [said["taught"]] * bool(lesson.intent) + [said["answer_kept"]] * bool(lesson.answer)
    return frame.done(request, " ".join(told))


@frame.page("inbox.write", methods=("POST",))
def present(request: HttpRequest, id: UUID) -> HttpResponse:
    """An agent looks at it, or types a reply."""
    row = HandOff.objects.select_related("conversation").get(id=id)
    presence.say(
        row.conversation_id,
        agent=frame.member_of(request).agent,
        typing=request.POST.get("typing") == "1",
        answers=inbox.is_mine(request, row),
    )
    return HttpResponse(status=204)


def _given(request: HttpRequest) -> dict[str, Any]:
    return {k: v for k, v in request.POST.dict().items() if k != "csrfmiddlewaretoken"}
