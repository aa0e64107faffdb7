"""Answers as server-sent events, by either kind of server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, Field
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from saas.api import View
from saas.chat import production, streams
from saas.chat.streams import Event, Log
from saas.errors import Problem
from saas.streaming import MEDIA_TYPE as MEDIA_TYPE
from saas.streaming import EventStream as EventStream


class AnswerEvent(BaseModel):
    """`message.started` (conversation_id, message_id) at once; `delta` (text) again and again.

    Then `citations` (citations, sources) and `items` (items) where there are any, and at last `done`,
    with what the plain answer is, or `error` (code, and a detail for the customer). What `done` says
    counts: where a person took over meanwhile, it has no answer.
    """

    event: Literal["message.started", "delta", "citations", "items", "done", "error"]
    data: str = Field(description="A JSON object")
    id: str | None = Field(default=None, description="Growing, for Last-Event-ID")


class Events(BaseRenderer):
    """Named in a view so that its media type is accepted; what is streamed is an `EventStream`."""

    media_type = MEDIA_TYPE
    format = "json"  # what its data are: `?format=` does not choose it
    render_style = "binary"


async def told(events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    """Events as text; comments keep the connection alive in between."""
    async for event in events:
        yield written(event) if event else ": still at it\n\n"


async def again(message: dict[str, Any]) -> AsyncIterator[Event]:
    """The events of an answer that was given before."""
    for number, event in enumerate(production.retold(message), 1):
        yield replace(event, id=number)


def wanted(request: Request) -> bool:
    return bool(request.accepted_renderer.media_type == MEDIA_TYPE)


def written(event: Event) -> str:
    id_ = f"id: {event.id}\n" if event.id else ""
    return f"{id_}event: {event.name}\ndata: {json.dumps(event.data, ensure_ascii=False)}\n\n"


class MessageEvents(View):
    scopes = {"GET": "chat"}
    scoped = False  # no transaction is held open while a reader waits
    renderer_classes = [JSONRenderer, Events]

    @extend_schema(
        operation_id="follow_message",
        parameters=[
            OpenApiParameter(
                "Last-Event-ID",
                {"type": "integer", "minimum": 0, "maximum": 999_999_999},
                OpenApiParameter.HEADER,
                description="The id of the last event that you have; not given, all of them",
            )
        ],
        responses={(200, MEDIA_TYPE): AnswerEvent},
    )
    def get(self, request: Request, id: UUID) -> Any:
        """Go on with a streamed answer. Its events are kept for five minutes after it has ended."""
        after = request.headers.get("Last-Event-ID", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise Problem("Last-Event-ID is the id of an event, a number.", code="invalid_event_id")
        log = Log(self.principal.tenant_id, id)
        if not log.exists():
            raise NotFound("There is no such object. Check the id.")
        chinese = request.headers.get("Accept-Language", "").lower().startswith("zh")
        language = "zh" if chinese else "en"
        return EventStream(told(streams.follow(log, language=language, after=int(after))))
