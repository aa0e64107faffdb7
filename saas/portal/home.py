"""Where a person comes in: their tenants, an invitation, and how pages look."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from saas.portal import frame, languages
from saas.portal.accounts import INVITATION
from tenants import members


@never_cache
@login_required
def places(request: HttpRequest) -> HttpResponse:
    """The businesses that somebody belongs to; who has one only is led there."""
    found = members.places(request.user)  # type: ignore[arg-type]
    if len(found) == 1:
        return redirect("portal_home", found[0].tenant.slug)
    return render(request, "portal/places.html", {"places": found})


@frame.page("home.see")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html")


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation, after signing in or up with the address that it was sent to."""
    email = members.invited(token)
    if email is None:
        return frame.notice(request, "no_invitation", 404)
    if not request.user.is_authenticated:
        request.session[INVITATION] = token
        return render(request, "portal/invitation.html", {"email": email})
    shown = {"email": email, "name": request.POST.get("name", "")}
    if request.method == "POST":
        try:
            members.accept(token=token, user=request.user, name=shown["name"])
        except PermissionDenied:
            return frame.notice(request, "other_invitation", 403)
        except ValidationError:
            return render(request, "portal/invitation.html", shown | {"wrong": True}, status=400)
        request.session.pop(INVITATION, None)
        return redirect("portal_places")
    return render(request, "portal/invitation.html", shown)


@require_POST
def look(request: HttpRequest) -> HttpResponse:
    """Choose the language or the theme of this browser's pages."""
    target = request.POST.get("next", "/t/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}):
        target = "/t/"
    response = HttpResponseRedirect(target)
    for name, known in (
        (languages.COOKIE, languages.LANGUAGES),
        (languages.THEME, languages.THEMES),
    ):
        chosen = request.POST.get(name, "")
        if chosen in known:
            response.set_cookie(
                name,
                chosen,
                max_age=languages.YEAR,
                httponly=name == languages.COOKIE,
                secure=request.is_secure(),
                samesite="Lax",
            )
    return response
