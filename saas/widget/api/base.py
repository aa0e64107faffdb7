"""What all calls of visitors share: their origin, their limits, and refusals in their own language."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rates
from saas.api import View
from saas.chat import conversations
from saas.chat.models import Conversation
from saas.rates import TooManyRequests
from saas.widget import sessions, words
from tenants.auth import VisitorAuthentication, origin_of
from tenants.keys import Principal
from tenants.visitors import Visitor

CALLS = "240/minute"  # of a visitor
CALLS_OF_ADDRESS = "1200/minute"  # an office or a school may share one
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age": "7200",
    "Vary": "Origin",
}


class PageView(View):
    """A call from a page of another site; it may read the answer where the key is for that site."""

    schema = None  # the widget's own, and not for programmers

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "OPTIONS":  # browsers ask without the key: it lets them ask, no more
            origin = request.headers.get("Origin", "")
            return HttpResponse(
                status=204, headers=PREFLIGHT | {"Access-Control-Allow-Origin": origin}
            )
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if wait := rates.over(CALLS_OF_ADDRESS, f"address:{address_of(request)}"):
            raise TooManyRequests("Too many calls from this address.", wait=wait)
        super().initial(request, *args, **kwargs)

    @property
    def language(self) -> str:
        """What the visitor reads."""
        accepted = self.request.headers.get("Accept-Language", "").lower()
        return "zh" if accepted.startswith("zh") else "en"

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(response.data, dict) and response.status_code >= 400:
            code, wait = response.data.get("code", ""), response.headers.get("Retry-After")
            response.data["message"] = words.refusal(code, self.language, wait)
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        known = self._origin()
        if known:
            response["Access-Control-Allow-Origin"] = known
            response["Access-Control-Expose-Headers"] = "Retry-After"
        response["Vary"] = "Origin"
        response.setdefault("Cache-Control", "no-store")
        return response

    def _origin(self) -> str:
        """The page's, where what it holds is for pages of there: the refusal of a token too."""
        origin = origin_of(self.request)
        holder = self.request._request.__dict__.get("holder")
        if isinstance(holder, Principal) and holder.origins and origin in holder.origins:
            return origin
        return ""


class WhoseToken(VisitorAuthentication):
    """As its base, and not renewed before; the page may read of its own token that it has expired."""

    def check(self, request: Request, visitor: Visitor) -> None:
        request._request.__dict__["holder"] = visitor
        super().check(request, visitor)
        sessions.check(visitor)


class VisitorView(PageView):
    """A call of a visitor, with their token."""

    authentication_classes = [WhoseToken]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        visitor = self.visitor
        if wait := rates.over(CALLS, f"visitor:{visitor.tenant_id}:{visitor.id}"):
            raise TooManyRequests("Too many calls of this visitor.", wait=wait)

    @property
    def visitor(self) -> Visitor:
        visitor = self.request.auth
        assert isinstance(visitor, Visitor)  # noqa: S101  (WhoseToken knows no other)
        return visitor

    def own(self, id: UUID) -> Conversation:
        """A conversation of the visitor's own, or the one that it was merged into.

        Raises Conversation.DoesNotExist for any other.
        """
        mine = conversations.of(self.visitor.name)
        found = mine.get(id=id)
        if found.state == Conversation.State.CLOSED:
            return mine.get(id=conversations.current(id))
        return found

    def _fingerprint(self) -> str:
        # An Idempotency-Key of another visitor is another call, whatever it says.
        return super()._fingerprint()[:32] + self.visitor.id[:32]


def address_of(request: Request) -> str:
    """Where a call comes from. Behind the deployment's proxy, which sets it, by X-Forwarded-For."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.HTTPS else ""
    return (forwarded.split(",")[0] or str(request.META.get("REMOTE_ADDR", ""))).strip()[:64]
