"""What all pages of the portal share: permission, language, navigation, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from saas import errors
from saas.errors import Problem
from saas.portal import languages, permissions, words
from tenants.models import Member

NAVIGATION = (
    ("home", "portal_home", "home.see"),
    ("inbox", "portal_inbox", "inbox.read"),
    ("canned", "portal_canned", "canned.write"),
    ("metrics", "portal_metrics", "metrics.read"),
    ("widget", "portal_widgets", "widget.manage"),
    ("members", "portal_members", "members.manage"),
)
View = Callable[..., HttpResponseBase]


def page(
    action: str,
    *,
    methods: tuple[str, ...] = ("GET",),
    scoped: bool = True,
    cached: bool = False,
) -> Callable[[View], View]:
    """A page below /t/<tenant>/, for whose role the permission table allows `action`.

    A Problem is told on the page, and nothing half-written stays. Nor does a browser keep it, so that
    after signing out its way back shows nobody's messages; one that is `cached` says itself how.
    """

    def of(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, tenant: str, **names: Any) -> HttpResponseBase:
            if request.method not in methods and request.method != "HEAD":
                return HttpResponseNotAllowed(methods)
            if not permissions.may(member_of(request).role, action):
                return notice(request, "forbidden", 403)
            try:
                return view(request, **names)
            except Problem as problem:
                if scoped:
                    transaction.set_rollback(True)
                return told(request, problem)
            except ObjectDoesNotExist as missing:
                raise Http404 from missing

        made: View = guarded if cached else never_cache(guarded)
        made.action, made.scoped = action, scoped  # type: ignore[attr-defined]
        made.methods = methods  # type: ignore[attr-defined]
        return made

    return of


def member_of(request: HttpRequest) -> Member:
    member: Member = request.member  # type: ignore[attr-defined]
    return member


def context(request: HttpRequest) -> dict[str, Any]:
    """For all templates; nothing on pages that are not the portal's."""
    if not hasattr(request, "language"):
        return {}
    found: dict[str, Any] = {
        "language": languages.of(request),
        "theme": languages.theme(request),
        "words": words.of(request),
    }
    member = getattr(request, "member", None)
    if member:
        role = member.role
        found |= {
            "member": member,
            "tenant": member.tenant,
            "navigation": navigation(request),
            "may": {a.replace(".", "_"): permissions.may(role, a) for a in permissions.ACTIONS},
        }
    return found


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Where the member's role may go."""
    member, said = member_of(request), words.of(request)["navigation"]
    entries = [
        {"words": said[name], "url": reverse(view, args=[member.tenant.slug])}
        for name, view, action in NAVIGATION
        if permissions.may(member.role, action)
    ]
    home = reverse("portal_home", args=[member.tenant.slug])  # every page is below it
    here = [e for e in entries if request.path.startswith(e["url"]) and e["url"] != home]
    here = here or [e for e in entries if request.path == e["url"]]
    nearest = max(here, key=lambda entry: len(entry["url"]), default=None)
    return [entry | {"here": entry is nearest} for entry in entries]


def wants_part(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def told(request: HttpRequest, problem: Problem) -> HttpResponse:
    """What is wrong, in the member's language, where it does not take the page's place."""
    text = words.problem(problem, languages.of(request))
    if not wants_part(request):
        return render(request, "portal/notice.html", {"title": text}, status=problem.status_code)
    response = render(request, "portal/alert.html", {"text": text}, status=problem.status_code)
    response["HX-Retarget"], response["HX-Reswap"] = "#alerts", "innerHTML"
    return response


def notice(request: HttpRequest, name: str, status: int) -> HttpResponse:
    said = words.of(request)["notices"][name]
    if wants_part(request):
        response = render(request, "portal/alert.html", {"text": said["title"]}, status=status)
        response["HX-Retarget"], response["HX-Reswap"] = "#alerts", "innerHTML"
        return response
    return render(request, "portal/notice.html", said, status=status)


def done(request: HttpRequest, text: str) -> HttpResponse:
    """Something is done, and this is what became of it; the page stays."""
    response = render(request, "portal/done.html", {"text": text})
    response["HX-Retarget"], response["HX-Reswap"] = "#alerts", "innerHTML"
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A page for people, and a problem document for programs."""
    if languages.PAGES.match(request.path):
        return notice(request, "not_found", 404)
    return errors.not_found(request, exception)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that this site has not made, or whose cookie was lost."""
    return notice(request, "forged", 403)
