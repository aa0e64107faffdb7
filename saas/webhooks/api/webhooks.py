"""The API of webhooks: where your own server wants to be told what happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, StringConstraints
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, Body, InvalidBody, PageQuery, View, page, page_of
from saas.outside import OutsideError
from saas.webhooks import endpoints, events
from saas.webhooks.api import READ, WRITE
from saas.webhooks.models import Webhook

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\x7f]+$", max_length=500)]
Kind = events.Type
Types = Annotated[list[Kind], Field(min_length=1, max_length=len(events.TYPES))]


class WebhookIn(Body):
    url: Url = Field(description="Of your server, public and with https")
    events: Types = Field(default=list(events.TYPES), description="What it wants to hear of")
    active: bool = True


class WebhookChange(Body):
    """What is not given stays as it is."""

    url: Url | None = None
    events: Types | None = None
    active: bool | None = Field(
        default=None, description="Switched on again, it gets what was waiting"
    )


class WebhookOut(BaseModel):
    id: UUID
    url: str
    events: list[Kind]
    active: bool
    reason: str = Field(description="Why it was switched off, unless you did it")
    failing_since: datetime | None = Field(description="Null where the last call was a success")
    former_until: datetime | None = Field(
        description="Until when calls are signed with the secret before the last rotation as well"
    )
    created_at: datetime


class NewSecret(WebhookOut):
    secret: str = Field(description="To check signatures with. It is shown this once: store it now")


class RotateSecret(Body):
    overlap_hours: int = Field(
        default=24, ge=0, le=24 * 90, description="How long the old secret signs as well"
    )


def _out(row: Webhook) -> WebhookOut:
    return WebhookOut.model_validate(row, from_attributes=True)


def _new_secret(row: Webhook, secret: str) -> NewSecret:
    return NewSecret(**_out(row).model_dump(), secret=secret)


def _refused(error: OutsideError) -> InvalidBody:
    return InvalidBody([{"field": "url", "message": str(error)}])


class Webhooks(View):
    scopes = {"GET": READ, "POST": WRITE}
    idempotent = False  # an answer that holds a secret is not stored

    @extend_schema(
        operation_id="list_webhooks", parameters=[PageQuery], responses={200: page_of(WebhookOut)}
    )
    def get(self, request: Request) -> Response:
        """Webhooks without their secrets, the newest first."""
        return page(self, Webhook.objects.all(), _out, ordering="-created_at")

    @extend_schema(
        operation_id="create_webhook",
        request=WebhookIn,
        responses={201: NewSecret},
        examples=[
            OpenApiExample(
                "Messages and hand-offs",
                {
                    "url": "https://shop.example/frontdesk",
                    "events": ["message.created", "hand_off.requested"],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Have your server called when something happens. The answer holds the signing secret."""
        body = self.read(WebhookIn)
        try:
            made = endpoints.create(**body.model_dump(), actor=self.principal.actor)
        except OutsideError as error:
            raise _refused(error) from error
        return self.answer(_new_secret(*made), 201)


class OneWebhook(View):
    scopes = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}

    @extend_schema(operation_id="get_webhook", responses={200: WebhookOut})
    def get(self, request: Request, id: UUID) -> Response:
        """One webhook, and why it is off if it is."""
        return self.answer(_out(Webhook.objects.get(id=id)))

    @extend_schema(
        operation_id="change_webhook",
        request=WebhookChange,
        responses={200: WebhookOut},
        examples=[OpenApiExample("Switch on", {"active": True}, request_only=True)],
    )
    def patch(self, request: Request, id: UUID) -> Response:
        """Change a webhook, or switch it off and on."""
        changes = self.read(WebhookChange).model_dump(exclude_none=True)
        try:
            row = endpoints.change(id, changes, actor=self.principal.actor)
        except OutsideError as error:
            raise _refused(error) from error
        return self.answer(_out(row))

    @extend_schema(operation_id="delete_webhook", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete a webhook with its deliveries; it is not called any more."""
        endpoints.remove(id, actor=self.principal.actor)
        return Response(status=204)


class RotateWebhook(View):
    scopes = {"POST": WRITE}
    idempotent = False

    @extend_schema(
        operation_id="rotate_webhook",
        request=RotateSecret,
        responses={201: NewSecret},
        examples=[OpenApiExample("A day's overlap", {"overlap_hours": 24}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Give a webhook a new secret; for a while calls are signed with both."""
        overlap = timedelta(hours=self.read(RotateSecret).overlap_hours)
        made = endpoints.rotate(id, overlap=overlap, actor=self.principal.actor)
        return self.answer(_new_secret(*made), 201)
