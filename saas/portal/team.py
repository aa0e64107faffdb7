"""The members of a tenant: who they are, who is invited, and what managers change about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from saas import mail, rates
from saas.errors import Problem
from saas.portal import frame, words
from saas.rates import TooManyRequests
from tenants import members
from tenants.models import Invitation, Member, Role
from tenants.scope import tenant_scope

INVITATIONS = "60/hour"  # of a tenant: each is an e-mail to an address that somebody has typed


@frame.page("members.manage", methods=("GET", "POST"), scoped=False)
def whole(request: HttpRequest) -> HttpResponse:
    """Everybody, and whom a new invitation is sent to."""
    if request.method == "POST":
        return _invited(request, request.POST.get("email", ""), request.POST.get("role", ""))
    with tenant_scope(frame.member_of(request).tenant.id):
        return _page(request)


@frame.page("members.manage", methods=("POST",), scoped=False)
def again(request: HttpRequest, id: UUID) -> HttpResponse:
    """Send an invitation anew. Its token is not kept, so this is another one, and the old one ends."""
    with tenant_scope(frame.member_of(request).tenant.id):
        offered = Invitation.objects.get(id=id)
    return _invited(request, offered.email, offered.role)


@frame.page("members.manage", methods=("POST",))
def revoke(request: HttpRequest, id: UUID) -> HttpResponse:
    offered = Invitation.objects.get(id=id)
    with _explained():
        members.revoke(by=frame.member_of(request), invitation=offered)
    return _page(request, "revoked", who=offered.email)


@frame.page("members.manage", methods=("POST",))
def change(request: HttpRequest, id: int) -> HttpResponse:
    member = Member.objects.select_related("user").get(id=id)
    with _explained():
        members.change_role(
            by=frame.member_of(request), member=member, role=request.POST.get("role", "")
        )
    return _after(request, member, "changed")


@frame.page("members.manage", methods=("POST",))
def remove(request: HttpRequest, id: int) -> HttpResponse:
    member = Member.objects.select_related("user").get(id=id)
    with _explained():
        members.remove(by=frame.member_of(request), member=member)
    return _after(request, member, "removed")


def _invited(request: HttpRequest, email: str, role: str) -> HttpResponse:
    """No transaction is open while the e-mail is sent. Where it is not, the link is shown."""
    by = frame.member_of(request)
    if wait := rates.over(INVITATIONS, f"invitation:{by.tenant.id}"):
        raise TooManyRequests("Too many invitations.", wait=wait)
    with _explained(), tenant_scope(by.tenant.id):
        token = members.invite(by=by, email=email, role=role)
    address, said = email.strip().lower(), words.of(request)
    link = request.build_absolute_uri(reverse("portal_invitation", args=[token]))
    values = {
        "by": by.name or by.agent,
        "business": by.tenant.name,
        "role": said["roles"][role],
        "days": members.INVITATION_LIFETIME.days,
        "link": link,
    }
    letter = said["members"]["mail"]
    subject, text = letter["subject"].format(**values), letter["text"].format(**values)
    with tenant_scope(by.tenant.id):
        if mail.send(subject, text, to=address):
            return _page(request, "sent", who=address)
        return _page(request, "not_sent", who=address, link=link)


def _after(request: HttpRequest, member: Member, done: str) -> HttpResponse:
    """Who has changed their own place sees what is left to them."""
    if member.pk != frame.member_of(request).pk:
        return _page(request, done, who=member.user.email)
    if not frame.wants_part(request):
        return redirect("portal_places")
    return HttpResponse(status=204, headers={"HX-Redirect": reverse("portal_places")})


def _page(request: HttpRequest, done: str = "", *, who: str = "", link: str = "") -> HttpResponse:
    """Or the changed part of it."""
    by, said = frame.member_of(request), words.of(request)
    everybody = members.everybody(*Role.values)
    factors = Authenticator.objects.filter(user__in=[member.user_id for member in everybody])
    factors = factors.exclude(type=Authenticator.Type.RECOVERY_CODES)
    shown: dict[str, Any] = {
        "everybody": everybody,
        "secured": set(factors.values_list("user_id", flat=True)),
        "invitations": members.invitations(),
        "now": timezone.now(),
        "roles": {role: said["roles"][role] for role in Role.values if role in _managed(by)},
        "done": said["members"]["done"][done].format(who=who) if done else "",
        "link": link,
    }
    part = frame.wants_part(request)
    name = "portal/members/changed.html" if part else "portal/members/page.html"
    return render(request, name, shown)


def _managed(by: Member) -> frozenset[str]:
    return members.MANAGES.get(by.role, frozenset())


@contextmanager
def _explained() -> Iterator[None]:
    """What the rules of members forbid, as a problem of the page."""
    try:
        yield
    except ValidationError as error:
        raise Problem(" ".join(error.messages), code=error.code) from error
    except PermissionDenied as error:
        raise NotYours(str(error)) from error


class NotYours(Problem):
    status_code = 403
    default_code = "not_allowed"
