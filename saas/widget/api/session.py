"""Where a visitor comes from: a publishable key and its page, an earlier token, a proof of identity."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from saas import mail, rows
from saas.api import Body
from saas.chat import attachments, conversations, policy, widgets
from saas.widget import sessions
from saas.widget.api.base import PageView
from tenants import visitors
from tenants.auth import KeyAuthentication, origin_of
from tenants.keys import Principal
from tenants.models import Tenant


class SessionIn(Body):
    """What the page holds of an earlier session, and what the tenant's server says of the visitor."""

    token: str = rows.optional_text(1_000)
    identity: str = rows.optional_text(4_000, says="A JWT by HS256 with the widget's secret")


class SessionOut(BaseModel):
    token: str
    expires_in: int = Field(description="Seconds that it is for calls; then it is to be renewed")
    customer: str = Field(description="Who the visitor was proven to be")
    conversation_id: UUID | None = Field(description="The latest one of the visitor's")
    business: str
    look: dict[str, Any]
    open: bool = Field(description="Whether people are there")
    away: dict[str, str] = Field(
        description="The tenant's words for when they are not, by language"
    )
    mail: bool = Field(description="Whether a transcript can be sent")
    largest: int = Field(description="Bytes of a file")


class KnownPage(KeyAuthentication):
    """The publishable key, and a page that it is for."""

    def authenticate(self, request: Request) -> tuple[Principal, Principal] | None:
        found = super().authenticate(request)
        if found:
            request._request.__dict__["holder"] = found[0]
        return found


class Session(PageView):
    scopes = {"POST": "chat"}
    authentication_classes = [KnownPage]
    scoped = False  # an earlier token may be of another tenant
    idempotent = False  # an answer that holds a token is not stored

    def post(self, request: Request) -> Response:
        """Begin a session, or go on with it: a token for calls. Nothing is stored of a new visitor."""
        body, key, origin = self.read(SessionIn), self.principal, origin_of(request)
        if key.origins is None:
            raise PermissionDenied("A page needs a publishable key (fd_pk_…).")
        try:
            given = self._earlier(body.token, origin) if body.token else {"id": visitors.new_id()}
            with self.scope():
                if body.identity:
                    given |= self._proven(body.identity, given)
                token = visitors.sign(key=key, origin=origin, **given)
                return self.answer(self._out(token, visitors.read(token, origin=origin)))
        except visitors.Refused as refused:
            raise AuthenticationFailed(str(refused)) from refused

    def _earlier(self, token: str, origin: str) -> dict[str, Any]:
        visitor = visitors.read(token, origin=origin)
        if visitor.key_id != self.principal.key_id:
            raise visitors.Refused("This visitor token is of another key.")
        return {
            "id": visitor.id,
            "customer": visitor.customer,
            "proven": visitor.proven,
            "turn": sessions.renew(visitor),
        }

    def _proven(self, proof: str, given: dict[str, Any]) -> dict[str, Any]:
        secret = widgets.secret(self.principal.key_id)
        customer, until = visitors.identify(proof, secret=secret)
        if not given.get("customer"):  # what another customer said on this device is not theirs
            conversations.adopt(f"{visitors.VISITOR}{given['id']}", customer=customer)
        return {"customer": customer, "proven": until}

    def _out(self, token: str, visitor: visitors.Visitor) -> SessionOut:
        look, people = widgets.get(visitor.key_id), policy.get(visitor.key_id)
        latest = conversations.of(visitor.name).order_by("-updated_at")
        return SessionOut(
            token=token,
            expires_in=visitors.LIFETIME,
            customer=visitor.customer,
            conversation_id=latest.values_list("id", flat=True).first(),
            business=Tenant.objects.values_list("name", flat=True).get(id=visitor.tenant_id),
            look=look.model_dump(mode="json", exclude={"messages_a_day", "hours"}),
            open=people.is_open(),
            away=people.away.model_dump(),
            mail=mail.is_set(),
            largest=attachments.LARGEST,
        )
