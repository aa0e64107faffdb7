"""The API of actions: a tenant's own endpoints that answer with live data."""

from __future__ import annotations

from datetime import datetime

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, Body, InvalidBody, PageQuery, View, page, page_of, validated
from saas.chat import actions
from saas.chat.models import Action
from saas.chat.slots import Slot, Texts
from saas.outside import OutsideError
from saas.rows import NAME

READ, WRITE = "webhooks:read", "webhooks:write"
EXAMPLE = {
    "url": "https://shop.example/order-status",
    "slots": [
        {
            "name": "order",
            "kind": "order_number",
            "ask": {"en": "What is your order number?", "zh": "请问您的订单号是多少？"},
        }
    ],
    "answer": {
        "en": "Order {order} is {state}; it arrives on {day}.",
        "zh": "订单 {order} {state_zh}，预计 {day} 送达。",
    },
}


class ActionOut(BaseModel):
    intent: str
    url: str
    slots: list[Slot]
    answer: Texts
    timeout: float
    created_at: datetime
    updated_at: datetime


class SecretOut(ActionOut):
    secret: str | None = Field(
        description="To check signatures with. It is shown this once, for a new action, and null "
        "afterwards: store it now"
    )


class Named(Body):
    """The intent in the address."""

    intent: str = Field(min_length=1, max_length=128, pattern=NAME)


def _out(row: Action) -> ActionOut:
    return ActionOut.model_validate(row, from_attributes=True)


def _with_secret(row: Action, secret: str | None) -> SecretOut:
    return SecretOut(**_out(row).model_dump(), secret=secret)


class Actions(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_actions", parameters=[PageQuery], responses={200: page_of(ActionOut)}
    )
    def get(self, request: Request) -> Response:
        """Actions without their secrets, by intent."""
        return page(self, Action.objects.all(), _out, ordering="intent")


class OneAction(View):
    scopes = {"GET": READ, "PUT": WRITE, "DELETE": WRITE}
    idempotent = False  # an answer that holds a secret is not stored

    @extend_schema(operation_id="get_action", responses={200: ActionOut})
    def get(self, request: Request, id: str) -> Response:
        """The action of an intent."""
        return self.answer(_out(Action.objects.get(intent=id)))

    @extend_schema(
        operation_id="put_action",
        request=actions.Setting,
        responses={200: SecretOut, 201: SecretOut},
        examples=[OpenApiExample("Order status", EXAMPLE, request_only=True)],
    )
    def put(self, request: Request, id: str) -> Response:
        """Have an intent answered by your server. The answer to the first PUT holds the secret."""
        intent = validated(Named, {"intent": id}).intent
        setting = self.read(actions.Setting)
        try:
            row, secret = actions.put(intent, setting, actor=self.principal.actor)
        except OutsideError as error:
            raise InvalidBody([{"field": "url", "message": str(error)}]) from error
        return self.answer(_with_secret(row, secret), 201 if secret else 200)

    @extend_schema(operation_id="delete_action", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: str) -> Response:
        """Delete the action of an intent; its reply answers again."""
        actions.remove(id, actor=self.principal.actor)
        return Response(status=204)


class RotateAction(View):
    scopes = {"POST": WRITE}
    idempotent = False  # an answer that holds a secret is not stored

    @extend_schema(operation_id="rotate_action", request=None, responses={200: SecretOut})
    def post(self, request: Request, id: str) -> Response:
        """A new secret for an action; calls are signed with it from now on."""
        return self.answer(_with_secret(*actions.rotate(id, actor=self.principal.actor)))
