"""The canned replies that managers keep for their agents."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from saas.api import validated
from saas.chat import canned
from saas.portal import frame


@frame.page("canned.write", methods=("GET", "POST"))
def replies(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in ("name", "language", "text")}
        canned.put(validated(canned.CannedRow, given))
        return redirect("portal_canned", frame.member_of(request).tenant.slug)
    return render(request, "portal/canned.html", {"rows": canned.every()})


@frame.page("canned.write", methods=("POST",))
def remove(request: HttpRequest, id: UUID) -> HttpResponse:
    canned.remove(id)
    return redirect("portal_canned", frame.member_of(request).tenant.slug)
