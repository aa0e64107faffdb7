"""What the customer writes in the agent's language, and the agent's reply in the customer's, by machine."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from saas import rows
from saas.api import Body, validated
from saas.chat import backlog, conversations, translation
from saas.chat.models import Message
from saas.portal import frame, inbox
from tenants.scope import tenant_scope


class Chosen(Body):
    message: UUID


class Written(Body):
    text: str = rows.text(4_000)


@frame.page("inbox.write", methods=("POST",), scoped=False)
def message(request: HttpRequest, id: UUID) -> HttpResponse:
    """Below a message, for whoever reads it from then on."""
    tenant = frame.member_of(request).tenant
    chosen = validated(Chosen, {"message": request.POST.get("message", "")})
    with tenant_scope(tenant.id):
        own = conversations.parts(backlog.one(id).conversation_id)
        entry = Message.objects.get(id=chosen.message, conversation__in=own)
    entry.translation = translation.of(entry, tenant_id=tenant.id)
    return render(request, "portal/inbox/translated.html", {"entry": entry})


@frame.page("inbox.write", methods=("POST",), scoped=False)
def reply(request: HttpRequest, id: UUID) -> HttpResponse:
    """In the box, for the agent to look at before it is sent."""
    tenant = frame.member_of(request).tenant
    text = validated(Written, {"text": request.POST.get("text", "")}).text
    with tenant_scope(tenant.id):
        to = inbox.spoken(backlog.one(id))
    made = translation.translate(text, to=to, tenant_id=tenant.id)
    return render(request, "portal/inbox/reply.html", {"text": made, "original": text})
