"""The API of keys (tenants/keys.py): issue, list, rotate, revoke."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, StringConstraints
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, Body, PageQuery, View, page, page_of
from saas.errors import Conflict
from tenants import keys
from tenants.models import ApiKey

Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?$", max_length=255)
]


class KeyIn(Body):
    name: str = rows.text(80, says="What you recognise it by")
    kind: Literal["sk", "pk"] = Field(
        default="sk",
        description="`sk`: secret, for your server. `pk`: publishable, for pages of `origins`",
    )
    scopes: list[Annotated[str, Field(max_length=40)]] | None = Field(
        default=None,
        max_length=40,
        description="What it may do; not given, all that your own key may and the kind allows",
    )
    origins: list[Origin] = Field(
        default=[],
        max_length=50,
        description="Needed for `pk`, such as `https://shop.example`; empty for `sk`",
    )
    days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until it expires; never where not given"
    )


class KeyOut(BaseModel):
    id: UUID
    name: str
    kind: str
    prefix: str = Field(description="How the secret begins, to recognise it by")
    scopes: list[str]
    origins: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewKey(KeyOut):
    secret: str = Field(description="The key itself. It is shown this once: store it now")


class RotateIn(Body):
    overlap_hours: int = Field(
        default=24, ge=0, le=24 * 90, description="How long the old key goes on"
    )


def _key_out(row: ApiKey) -> KeyOut:
    return KeyOut.model_validate(row, from_attributes=True)


def _new_key(row: ApiKey, secret: str) -> NewKey:
    return NewKey(**_key_out(row).model_dump(), secret=secret)


class Keys(View):
    scopes = {"GET": "keys:write", "POST": "keys:write"}
    idempotent = False  # an answer that holds a secret is not stored

    @extend_schema(
        operation_id="list_keys", parameters=[PageQuery], responses={200: page_of(KeyOut)}
    )
    def get(self, request: Request) -> Response:
        """Keys without their secrets, the newest first."""
        return page(self, ApiKey.objects.all(), _key_out, ordering="-created_at")

    @extend_schema(
        operation_id="issue_key",
        request=KeyIn,
        responses={201: NewKey},
        examples=[
            OpenApiExample(
                "For a web page",
                {"name": "shop page", "kind": "pk", "origins": ["https://shop.example"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Issue a key. It can hold no scope that your own key lacks."""
        body = self.read(KeyIn)
        allowed = keys.SCOPES if body.kind == "sk" else keys.PUBLISHABLE_SCOPES
        own = self.principal.scopes
        chosen = [s for s in allowed if s in own] if body.scopes is None else body.scopes
        beyond = sorted(set(chosen) & set(keys.SCOPES) - own)
        if beyond:
            raise PermissionDenied(f"Your own key lacks {', '.join(beyond)}.")
        key, secret = keys.issue(
            name=body.name,
            kind=body.kind,
            scopes=chosen,
            origins=body.origins,
            lifetime=timedelta(days=body.days) if body.days else None,
            actor=self.principal.actor,
        )
        return self.answer(_new_key(key, secret), 201)


class OneKey(View):
    scopes = {"DELETE": "keys:write"}

    @extend_schema(operation_id="revoke_key", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Revoke a key: it is refused from now on."""
        keys.revoke(ApiKey.objects.get(id=id), actor=self.principal.actor)
        return Response(status=204)


class RotateKey(View):
    scopes = {"POST": "keys:write"}
    idempotent = False

    @extend_schema(
        operation_id="rotate_key",
        request=RotateIn,
        responses={201: NewKey},
        examples=[OpenApiExample("A day's overlap", {"overlap_hours": 24}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Rotate a key: a new one with the same rights, while the old one goes on for a while."""
        body = self.read(RotateIn)
        key = ApiKey.objects.select_for_update().get(id=id)
        if key.revoked_at is not None:
            raise Conflict("The key has been revoked. Issue a new one.", code="key_revoked")
        if key.expires_at is not None and key.expires_at <= timezone.now():
            raise Conflict("The key has expired. Issue a new one.", code="key_expired")
        if set(key.scopes) - self.principal.scopes:
            raise PermissionDenied("The key holds scopes that your own key lacks.")
        successor, secret = keys.rotate(
            key, overlap=timedelta(hours=body.overlap_hours), actor=self.principal.actor
        )
        return self.answer(_new_key(successor, secret), 201)
