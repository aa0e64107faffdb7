"""The demo page at `/`: the demo shop with its chat box, shelf and usage counter.

One address, and nothing but HTML: GET shows the page, POST asks a question or looks at an item. With
JavaScript a POST gets the changed parts back (static/demo/page.js), without it the whole page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from saas.demo import counter, desk, shelf, visitors, words
from saas.demo.visitors import Visitor
from saas.errors import Problem
from tenants import members
from tenants.models import Tenant
from tenants.scope import tenant_scope

SHOP = "harbour"
log = structlog.get_logger(__name__)


@csrf_exempt
@never_cache
@vary_on_headers("Accept-Language")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if request.method == "HEAD":
        return HttpResponse()  # nothing is served, so nothing is billed
    visitor = visitors.read(request)
    if request.method == "POST" and not _from_this_site(request):
        return _notice(request, visitor, "other_site", 403)
    try:
        tenant_id = members.find_tenant_id(SHOP)
        if tenant_id is None:
            return _notice(request, visitor, "no_shop", 200)
        if request.method == "POST":
            return _act(request, visitor, tenant_id)
        return _whole(request, visitor, tenant_id)
    except DatabaseError:
        log.exception("the demo page could not be served")
        return _notice(request, visitor, "unavailable", 503)


def _from_this_site(request: HttpRequest) -> bool:
    """Whether a form of this page sent this.

    Django's own protection needs a cookie, and here is none: the forms carry no authority that another
    site could borrow, only the shop's quota. So the browser's word is enough, which a page of another
    site cannot change; a request without it comes from no browser of today.
    """
    site = request.headers.get("Sec-Fetch-Site")  # not sent over plain HTTP but on loopback
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin", "").partition("://")[2] == request.get_host()


def _act(request: HttpRequest, visitor: Visitor, tenant_id: UUID) -> HttpResponse:
    question = request.POST.get("text")
    try:
        if question is not None:
            return _asked(request, visitor, tenant_id, question)
        return _looked(request, visitor, tenant_id)
    except Problem as problem:
        return _refused(request, visitor, tenant_id, problem)


def _asked(request: HttpRequest, visitor: Visitor, tenant_id: UUID, question: str) -> HttpResponse:
    conversation = desk.ask(tenant_id, visitor, question)
    if not _wants_parts(request):
        return HttpResponseRedirect(visitor.address("#chat", conversation=conversation))
    with tenant_scope(tenant_id):
        asked = replace(visitor, conversation=conversation)
        parts = {"turns": desk.turns(asked, last=2), "counter": counter.read(visitor.language)}
    return _render(request, "parts", asked, parts)


def _looked(request: HttpRequest, visitor: Visitor, tenant_id: UUID) -> HttpResponse:
    with tenant_scope(tenant_id):
        shelf.look(visitor)
    if not _wants_parts(request):
        return HttpResponseRedirect(visitor.address("#shelf"))
    return _render(request, "parts", visitor, _shelf(visitor, tenant_id))


def _refused(
    request: HttpRequest, visitor: Visitor, tenant_id: UUID, problem: Problem
) -> HttpResponse:
    """Say what is wrong where it was asked, in the visitor's language."""
    place = "chat_problem" if "text" in request.POST else "shelf_problem"
    told = {place: words.problem(str(problem.get_codes()), visitor.language)}
    if _wants_parts(request):
        response = _render(request, "parts", visitor, told, problem.status_code)
    else:
        response = _whole(request, visitor, tenant_id, told, problem.status_code)
    if problem.wait is not None:
        response["Retry-After"] = str(round(problem.wait))
    return response


def _whole(
    request: HttpRequest,
    visitor: Visitor,
    tenant_id: UUID,
    told: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    with tenant_scope(tenant_id):
        context = {
            "shop": Tenant.objects.get(id=tenant_id).name,
            "inbox": reverse("portal_home", args=[SHOP]),
            "turns": desk.turns(visitor),
            "longest": desk.LONGEST,
            "question": request.POST.get("text", "")[: desk.LONGEST],
        }
    context |= _shelf(visitor, tenant_id) | (told or {})
    return _render(request, "page", visitor, context, status)


def _shelf(visitor: Visitor, tenant_id: UUID) -> dict[str, Any]:
    """What the shelf shows, each serving metered, and the counter after it."""
    context: dict[str, Any] = {}
    try:
        with tenant_scope(tenant_id):
            context["cards"] = shelf.serve(visitor)
    except Problem as problem:
        context["cards"] = []
        context["shelf_problem"] = words.problem(str(problem.get_codes()), visitor.language)
    with tenant_scope(tenant_id):
        context["looked"] = shelf.looked_at(visitor)
        context["trail"] = shelf.trail(visitor)
        context["counter"] = counter.read(visitor.language)
    return context


def _notice(request: HttpRequest, visitor: Visitor, name: str, status: int) -> HttpResponse:
    notice = words.TEXT[visitor.language]["notices"][name]
    return _render(request, "notice", visitor, {"notice": notice}, status)


def _widget() -> str:
    """The key of the page's chat widget, as `make demo` left it; "" where there is none."""
    file = settings.SERVICES_FILE.with_name(f"{SHOP}.page.key")
    return file.read_text() if file.exists() else ""


def _wants_parts(request: HttpRequest) -> bool:
    return request.headers.get("X-Parts") == "1"


def _render(
    request: HttpRequest,
    template: str,
    visitor: Visitor,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    context |= {
        "visitor": visitor,
        "widget": _widget(),
        "words": words.TEXT[visitor.language],
        "personas": words.personas(visitor.language),
    }
    return render(request, f"demo/{template}.html", context, status=status)


urls: list[URLPattern] = [path("", page, name="demo")]
