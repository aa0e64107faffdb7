"""The API of what customers did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, BatchResult, Body, PageQuery, View, page, page_of, store_batch
from saas.errors import Problem
from saas.recommend import events
from saas.recommend.attributes import Context
from saas.recommend.models import Event


class EventRows(RootModel[Annotated[list[events.EventRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 events."""


class StoredEvent(BaseModel):
    customer: str
    item: str
    kind: str
    name: str
    value: float
    quantity: float
    context: Context
    recommendation: UUID | None
    at: datetime


class EventOut(StoredEvent):
    id: UUID


class Chosen(Body):
    customer: rows.Identifier | None = None
    item: rows.Identifier | None = None
    kind: events.Kind | None = None
    since: rows.Moment | None = Field(default=None, description="From then on")
    until: rows.Moment | None = Field(default=None, description="Before then")


class EventsQuery(Chosen, PageQuery):
    pass


class Deleted(BaseModel):
    deleted: int


def _event_out(row: Event) -> EventOut:
    shown = {name: getattr(row, name) for name in StoredEvent.model_fields}
    return EventOut(id=row.digest, **shown)


class Events(View):
    scopes = {"GET": "events:read", "POST": "events:write", "DELETE": "events:delete"}

    @extend_schema(
        operation_id="list_events", parameters=[EventsQuery], responses={200: page_of(EventOut)}
    )
    def get(self, request: Request) -> Response:
        """Events, the latest first: all, or those of a customer, an item, a kind or a time."""
        query = self.query(EventsQuery)
        found = events.chosen(**query.model_dump(include=set(Chosen.model_fields)))
        return page(self, found, _event_out, ordering="-at", query=EventsQuery)

    @extend_schema(
        operation_id="write_events",
        request=EventRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One view",
                [{"customer": "C0001", "item": "TEA-001", "kind": "view"}],
                request_only=True,
            ),
            OpenApiExample(
                "A visitor buys what was recommended, and turns out to be a customer",
                [
                    {
                        "customer": "C0001",
                        "session": "5f2c",
                        "item": "TEA-001",
                        "kind": "buy",
                        "value": 48.0,
                        "quantity": 2,
                        "context": {"page": "basket"},
                        "recommendation": "5e0f4a52-5f2c-4d27-9f5e-0d6d1f2b7a11",
                        "at": "2026-11-02T09:30:00Z",
                    }
                ],
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Write events, up to 1,000. The very next recommendation knows them.

        They may come late and in any order. One sent twice counts once, as long as it carries its
        time `at`.
        """
        return store_batch(events.KIND, request.data)

    @extend_schema(operation_id="delete_events", parameters=[Chosen], responses={200: Deleted})
    def delete(self, request: Request) -> Response:
        """Delete the events of a customer, an item, a kind or a time; at least one must be given.

        What is given narrows together. Models know them no more from the next training on.
        """
        query = self.query(Chosen).model_dump()
        if not any(query.values()):
            raise Problem(
                "Say which events: customer, item, kind, since or until.", code="no_choice"
            )
        count = events.remove(events.chosen(**query), actor=self.principal.actor)
        return self.answer(Deleted(deleted=count))


class OneEvent(View):
    scopes = {"GET": "events:read", "DELETE": "events:delete"}

    @extend_schema(operation_id="get_event", responses={200: EventOut})
    def get(self, request: Request, id: UUID) -> Response:
        """One event, by the id that the list of events gives it."""
        return self.answer(_event_out(Event.objects.get(digest=id)))

    @extend_schema(operation_id="delete_event", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete one event."""
        found = Event.objects.get(digest=id)
        events.remove(Event.objects.filter(id=found.id), actor=self.principal.actor)
        return Response(status=204)
