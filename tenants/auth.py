"""DRF authentication by API key: `Authorization: Bearer fd_sk_…`, or a publishable key and origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants import keys, visitors

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself imports this module

MISSING = "Send your key as 'Authorization: Bearer fd_sk_…'."


class KeyAuthentication(BaseAuthentication):
    """The caller is a tenant, known by one of its keys."""

    def authenticate(self, request: Request) -> tuple[keys.Principal, keys.Principal] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.startswith("fd_"):
            raise AuthenticationFailed(f"This is not a Frontdesk key. {MISSING}")
        principal = keys.find(secret.strip())
        if principal is None:
            raise AuthenticationFailed("This key is unknown, expired or revoked. Issue a new one.")
        _check_origin(request, principal)
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="frontdesk"'


class VisitorAuthentication(BaseAuthentication):
    """The caller is a visitor of a tenant's page, known by a token (tenants/visitors.py)."""

    def authenticate(self, request: Request) -> tuple[keys.Principal, keys.Principal] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.startswith(visitors.PREFIX):
            raise AuthenticationFailed(
                "Send the visitor's token as 'Authorization: Bearer fd_vt_…'."
            )
        try:
            visitor = visitors.read(token.strip(), origin=origin_of(request))
            self.check(request, visitor)
        except visitors.Refused as refused:
            raise AuthenticationFailed(f"{refused} Renew it, or begin a new session.") from refused
        return visitor, visitor

    def check(self, request: Request, visitor: visitors.Visitor) -> None:
        """Raises visitors.Refused."""
        if visitor.expired:
            raise visitors.Refused("This visitor token has expired.")

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="frontdesk widget"'


def origin_of(request: Request) -> str:
    """The site whose page calls. Browsers leave it out where that is our own and nothing is sent."""
    if request.META.get("HTTP_SEC_FETCH_SITE") == "same-origin":
        return f"{request.scheme}://{request.get_host()}".lower()
    return str(request.META.get("HTTP_ORIGIN", "")).rstrip("/").lower()


def _check_origin(request: Request, principal: keys.Principal) -> None:
    if principal.origins is None:
        return
    origin = origin_of(request)
    if origin not in principal.origins:
        raise PermissionDenied(
            f"This publishable key is not for pages of {origin or 'an unknown origin'}. "
            "Add the origin to the key, or use a secret key from your server."
        )


class HasScope(BasePermission):
    """The key must hold the scope that the view names for the method: `scopes = {"GET": …}`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, keys.Principal):
            return False
        scopes: dict[str, str | None] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else request.method
        if method not in scopes:
            return method == "OPTIONS"
        needed = scopes[method]
        if needed is None:
            return True  # the view asks itself, once it knows what the call is about
        self.message = f"This key lacks the scope {needed!r}. Issue a key that has it."
        return needed in request.auth.scopes
