"""The API of deliveries: what webhooks were told, and telling it again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, PageQuery, View, page, page_of
from saas.webhooks import deliveries, endpoints, events
from saas.webhooks.api import READ, WRITE
from saas.webhooks.models import Delivery, Webhook

State = Literal["waiting", "delivered", "failed"]


class Attempt(BaseModel):
    at: datetime
    status: int | None = Field(description="Of the answer; null where there was none")
    error: str = Field(description="Empty where it was delivered")


class DeliveryOut(BaseModel):
    id: UUID
    event_id: UUID = Field(description="The `webhook-id` of the call, the same at each try")
    type: str
    state: State
    due_at: datetime | None = Field(description="When it is tried next; null unless it is waiting")
    attempts: list[Attempt] = Field(
        description=f"The last {deliveries.KEPT_ATTEMPTS}, the oldest of them first"
    )
    created_at: datetime


class DeliveryQuery(PageQuery):
    state: State | None = Field(default=None, description="Not given: all")


class ReplayIn(Body):
    since: rows.Moment = Field(description="Events are kept for 30 days")


class ReplayOut(BaseModel):
    replayed: int
    more_since: datetime | None = Field(
        description="More happened than one call replays: call again with this as `since`"
    )


def _out(row: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=row.id,
        event_id=row.event_id,
        type=row.event.type,
        state=row.state,  # type: ignore[arg-type]
        due_at=row.due_at if row.state == Delivery.State.WAITING else None,
        attempts=[Attempt.model_validate(attempt) for attempt in row.attempts],
        created_at=row.created_at,
    )


class Deliveries(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_deliveries",
        parameters=[DeliveryQuery],
        responses={200: page_of(DeliveryOut)},
    )
    def get(self, request: Request, id: UUID) -> Response:
        """What a webhook was told in the last 30 days, the newest first."""
        found = Delivery.objects.filter(webhook=Webhook.objects.get(id=id)).select_related("event")
        if state := self.query(DeliveryQuery).state:
            found = found.filter(state=state)
        return page(self, found, _out, ordering="-created_at", query=DeliveryQuery)


class ReplayDelivery(View):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="replay_delivery", request=None, responses={202: DeliveryOut})
    def post(self, request: Request, id: UUID, delivery: UUID) -> Response:
        """Deliver it again, whatever became of it."""
        webhook = endpoints.listening(id)
        found = Delivery.objects.select_related("event").get(id=delivery, webhook=webhook)
        deliveries.queue([webhook.id], [found.event])
        found.refresh_from_db()
        return self.answer(_out(found), status=202)


class ReplayWebhook(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="replay_webhook",
        request=ReplayIn,
        responses={202: ReplayOut},
        examples=[OpenApiExample("A day", {"since": "2026-11-01T00:00:00Z"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Deliver all that has happened since then again, also what happened while it was off."""
        since = self.read(ReplayIn).since
        replayed, more_since = deliveries.replay(endpoints.listening(id), since)
        return self.answer(ReplayOut(replayed=replayed, more_since=more_since), status=202)


class TestWebhook(View):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="test_webhook", request=None, responses={202: DeliveryOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Send a ping, an event that means nothing; its delivery tells what your server answered."""
        return self.answer(_out(events.ping(endpoints.listening(id).id)), status=202)
