"""The API of widgets' settings, for the tenant's own programmers."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.chat import widgets
from tenants.models import ApiKey


class LookBody(widgets.Look, Body):
    """What a widget shows, says and asks."""


class WidgetOut(BaseModel):
    id: UUID = Field(description="Of its publishable key")
    name: str
    origins: list[str] = Field(description="Of the pages that may show it; they are the key's")
    look: widgets.Look


class WidgetSecretOut(BaseModel):
    secret: str = Field(description="Signs who a visitor is. It is shown this once: store it now")


def _out(key: ApiKey) -> WidgetOut:
    return WidgetOut(id=key.id, name=key.name, origins=key.origins, look=widgets.get(key.id))


class Widgets(View):
    scopes = {"GET": "keys:write"}

    @extend_schema(
        operation_id="list_widgets", parameters=[PageQuery], responses={200: page_of(WidgetOut)}
    )
    def get(self, request: Request) -> Response:
        """Your widgets, one of each live publishable key, the newest first."""
        return page(self, widgets.keys(), _out, ordering="-created_at")


class OneWidget(View):
    scopes = {"GET": "keys:write", "PUT": "keys:write"}

    @extend_schema(operation_id="get_widget", responses={200: WidgetOut})
    def get(self, request: Request, id: UUID) -> Response:
        """One widget, by the id of its publishable key."""
        return self.answer(_out(widgets.keys().get(id=id)))

    @extend_schema(
        operation_id="put_widget",
        request=LookBody,
        responses={200: WidgetOut},
        examples=[
            OpenApiExample(
                "A green one on the left",
                {
                    "title": {"en": "Tea help", "zh": "茶友客服"},
                    "colour": "#00695c",
                    "side": "left",
                    "prompts": [{"en": "Where is my order?", "zh": "我的订单到哪了？"}],
                    "messages_a_day": 2000,
                },
                request_only=True,
            )
        ],
    )
    def put(self, request: Request, id: UUID) -> Response:
        """Set how a widget looks and behaves. What is left out is as it comes."""
        key = widgets.keys().get(id=id)
        widgets.put(key.id, self.read(LookBody), actor=self.principal.actor)
        return self.answer(_out(key))


class WidgetSecret(View):
    scopes = {"POST": "keys:write"}
    idempotent = False  # an answer that holds a secret is not stored

    @extend_schema(
        operation_id="make_widget_secret", request=None, responses={201: WidgetSecretOut}
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Make a secret by which your server says who a visitor is, in place of an earlier one."""
        key = widgets.keys().get(id=id)
        secret = widgets.new_secret(key.id, actor=self.principal.actor)
        return self.answer(WidgetSecretOut(secret=secret), status=201)
