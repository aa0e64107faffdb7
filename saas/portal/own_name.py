"""The page on which members say what customers call them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from saas.portal import frame
from tenants import members


@frame.page("name.write", methods=("GET", "POST"))
def page(request: HttpRequest) -> HttpResponse:
    member, wrong = frame.member_of(request), False
    if request.method == "POST":
        try:
            members.rename(member, request.POST.get("name", ""))
        except ValidationError:
            wrong = True
    name = request.POST.get("name", "") if wrong else member.name
    shown = {"name": name, "wrong": wrong, "saved": request.method == "POST" and not wrong}
    return render(request, "portal/name.html", shown, status=400 if wrong else 200)
