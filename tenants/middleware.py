"""The portal's way to a tenant: the slug in the address and membership open its scope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url

from tenants import members
from tenants.scope import tenant_scope

Handler = Callable[[HttpRequest], HttpResponseBase]


class PortalMiddleware:
    """A view with `tenant` in its address runs in that tenant's scope, for its members alone.

    Who is none is told that there is no such page. One with `scoped = False` opens the scope itself.
    """

    def __init__(self, handle: Handler) -> None:
        self.handle = handle

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.handle(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        slug = kwargs.get("tenant")
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        member = members.find(request.user, slug)
        if member is None:
            raise Http404
        request.member = member  # type: ignore[attr-defined]
        if not getattr(view, "scoped", True):
            return None
        with tenant_scope(member.tenant.id):
            return view(request, *args, **kwargs)


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """The whole window goes there, also where a part of a page was asked for."""
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
    return redirect_to_login(request.get_full_path())
