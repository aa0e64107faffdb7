"""What a visitor says: messages, files; and what happens meanwhile, as it happens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from pydantic import Field
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ml.language import language_of
from saas import errors, rates, rows
from saas.api import Body
from saas.chat import attachments, conversations, dialog, erasure, handoffs, live, widgets
from saas.chat.api import messages, streaming
from saas.chat.api.streaming import EventStream
from saas.errors import Problem
from saas.rates import TooManyRequests
from saas.widget import words
from saas.widget.api.base import VisitorView, address_of
from saas.widget.api.conversation import contact
from tenants import audit, visitors

MESSAGES = "20/minute"  # of a visitor
MESSAGES_OF_ADDRESS = "120/minute"
FILES = "20/hour"  # of a visitor
# Hints that are a visitor's, too: others tell colleagues who is there, by their addresses.
HEARD = {live.AGAIN, "message", "state", "typing"}
LONGEST_WAIT = 25.0  # seconds of one long poll


class MessageIn(Body):
    text: str = rows.text(2_000)
    conversation_id: UUID | None = None
    contact: dict[str, str] = Field(default={}, max_length=2)


class Follow(Body):
    conversation_id: UUID
    once: bool = Field(default=False, description="End with the first hint: for who cannot stream")
    seen: rows.Moment | None = Field(default=None, description="`updated_at`, as it is known")


class Messages(messages.Messages, VisitorView):
    """As `/v1/chat/messages`, by a visitor: the same turn, stored, streamed and billed as there."""

    authentication_classes = VisitorView.authentication_classes

    def post(self, request: Request) -> Any:
        body = self.read(MessageIn)
        self._count(body)
        return self.told(self._said(body))

    def _said(self, body: MessageIn) -> dialog.Turn[dict[str, Any]]:
        if body.conversation_id:
            with self.scope():
                self.own(body.conversation_id)
        visitor = self.visitor
        said = dialog.Said(
            body.text,
            language_of(body.text) or self.language,
            body.conversation_id,
            customer=visitor.name,
            widget=visitor.key_id,
        )
        reached = contact(body.contact) if not body.conversation_id else {}

        def end(told: dialog.Told) -> dict[str, Any]:
            if reached:
                conversations.reach(told.conversation_id, contact=reached)
            return self.kept(told)

        return dialog.Turn(
            said, scope=self.scope, api_key=visitor.key_id, begin=self.claim, end=end
        )

    def _count(self, body: MessageIn) -> None:
        """Raises TooManyRequests over a limit, in a form that visitors are told in their words."""
        visitor = self.visitor
        who, address = f"{visitor.tenant_id}:{visitor.id}", address_of(self.request)
        for limit, counted in ((MESSAGES, f"say:{who}"), (MESSAGES_OF_ADDRESS, f"say:{address}")):
            if wait := rates.over(limit, counted):
                raise TooManyRequests("Too many messages.", code="too_many_messages", wait=wait)
        rates.count_message(visitor.tenant_id, of=str(body.conversation_id or visitor.id))
        with self.scope():
            budget = widgets.get(visitor.key_id).messages_a_day
            state = self.own(body.conversation_id).state if body.conversation_id else ""
        if not budget or state in handoffs.WITH_PEOPLE:  # people's work has no budget
            return
        if wait := rates.over(f"{budget}/day", f"widget:{visitor.tenant_id}:{visitor.key_id}"):
            raise TooManyRequests("The widget's daily budget.", code="daily_budget", wait=wait)


class MessageEvents(streaming.MessageEvents, VisitorView):
    """Go on with a streamed answer."""

    authentication_classes = VisitorView.authentication_classes


class Files(VisitorView):
    scopes = {"POST": "chat"}
    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        """Send a file. People see it; the bot says that it cannot look into it."""
        visitor, file = self.visitor, request.FILES.get("file")
        if file is None:
            raise Problem("Send the file as the form field 'file'.")
        if not widgets.get(visitor.key_id).uploads:
            raise Problem("Files are not taken here.", code="no_uploads")
        if wait := rates.over(FILES, f"files:{visitor.tenant_id}:{visitor.id}"):
            raise TooManyRequests("Too many files.", code="too_many_messages", wait=wait)
        given = request.POST.get("conversation_id", "")
        id = self.own(UUID(given)).id if given else None
        if id is None:
            id = conversations.begin(visitor.name, language=self.language)
        message = conversations.receive(id, file.name or "file")
        attachments.put(message, file, file.name or "file")
        conversation = handoffs.lock(id)
        if conversation.state == conversation.State.CLOSED:
            handoffs.reopen(conversation)
        if conversation.state not in handoffs.WITH_PEOPLE:
            conversations.remark(id, words.FILE_SENT[self.language])
        return Response({"conversation_id": str(id)}, status=201)


class Live(VisitorView):
    scopes = {"GET": "chat"}
    scoped = False  # no transaction is held open while a visitor waits
    renderer_classes = [JSONRenderer, streaming.Events]

    def get(self, request: Request) -> Any:
        """Hints of what happens in a conversation: who gets one reads what is new there.

        The stream ends when the token does, and is to be opened again with the next.
        """
        query = self.query(Follow)
        with self.scope():
            id = self.own(query.conversation_id).id
        hints = _heard(live.follow(self.visitor.tenant_id, conversation_id=id))
        return EventStream(self._first(hints, query) if query.once else _told(hints))

    async def _first(
        self, hints: AsyncIterator[live.Hint | None], query: Follow
    ) -> AsyncIterator[str]:
        """One hint, whether it comes now or came since the visitor last asked."""
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                async for hint in hints:
                    if hint and (hint.name != live.AGAIN or await self._went_on(query)):
                        yield _written(hint)
                        return
        except TimeoutError:
            yield ": nothing\n\n"

    async def _went_on(self, query: Follow) -> bool:
        def look() -> bool:
            with self.scope():
                went_on = self.own(query.conversation_id).updated_at != query.seen
            connections.close_all()
            return went_on

        return await sync_to_async(look)()


class Data(VisitorView):
    scopes = {"DELETE": "chat"}

    def delete(self, request: Request) -> Response:
        """Delete all that was said by the visitor, and to them."""
        count = erasure.erase(self.visitor.name)
        audit.record(actor=self.visitor.actor, action="visitor.erased", conversations=count)
        return Response({"conversations": count})


@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """What a link to a file opens: pictures are shown, everything else is saved."""
    try:
        found, path = attachments.find(token)
    except attachments.Gone:
        return errors.respond(404, "not_found", "The link has expired. Open the chat again.")
    response = attachments.serve(found, path)
    response["Cross-Origin-Resource-Policy"] = (
        "cross-origin"  # the widget is on another site's page
    )
    response["Cache-Control"] = f"private, max-age={attachments.OPEN_FOR}"
    return response


async def _heard(hints: AsyncIterator[live.Hint | None]) -> AsyncIterator[live.Hint | None]:
    async for hint in hints:
        if hint is None or hint.name in HEARD:
            yield hint


async def _told(hints: AsyncIterator[live.Hint | None]) -> AsyncIterator[str]:
    end = time.monotonic() + visitors.LIFETIME
    yield ": here\n\n"
    async for hint in hints:
        yield _written(hint) if hint else ": still here\n\n"
        if time.monotonic() > end:
            return


def _written(hint: live.Hint) -> str:
    return f"event: {hint.name}\ndata: {json.dumps(hint.data)}\n\n"
