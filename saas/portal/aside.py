"""Beside a conversation: what could be said, what could be offered, and what a system of theirs knows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from saas.chat import actions, answers, backlog, inbox, replies
from saas.errors import Problem
from saas.portal import frame, languages
from saas.portal.inbox import last_asked
from saas.recommend import picks, reasons
from saas.recommend.demand import Demand
from tenants.scope import tenant_scope

ITEMS = 4


@frame.page("inbox.read", scoped=False)
def suggestions(request: HttpRequest, id: UUID) -> HttpResponse:
    """Replies to the customer's last message. No transaction is open while the encoder works."""
    member, mine = frame.member_of(request), languages.of(request)
    with tenant_scope(member.tenant.id):
        row = backlog.one(id)
        asked, language = last_asked(row), row.conversation.language
        plan = answers.plan(row.conversation_id)
    vectors = plan.encode(asked.text) if asked else None
    found: list[dict[str, Any]] = []
    with tenant_scope(member.tenant.id):
        if asked and vectors is not None:
            said = inbox.suggestions(asked.text, plan=plan, vectors=vectors, language=language)
            found = [
                {"text": one.text, "source": one.source, "gloss": _gloss(one, language, mine)}
                for one in said
            ]
        context = {"suggestions": found, "row": row}
    return render(request, "portal/inbox/suggestions.html", context)


@frame.page("inbox.read")
def items(request: HttpRequest, id: UUID) -> HttpResponse:
    """What the customer might like, for the agent's eyes: not billed."""
    conversation = backlog.one(id).conversation
    demand = Demand(
        customer=conversation.customer or None,
        limit=ITEMS,
        language=conversation.language,
        scenario="inbox",
        again=False,
    )
    chosen = picks.recommend(demand).choices
    shown = [
        {"title": reasons.title(choice.item, conversation.language), "reason": choice.reason}
        for choice in chosen
    ]
    return render(request, "portal/inbox/items.html", {"items": shown})


@frame.page("inbox.write", methods=("POST",), scoped=False)
def look_up(request: HttpRequest, id: UUID) -> HttpResponse:
    """Ask the tenant's own endpoint, as the bot would, in the agent's language."""
    member = frame.member_of(request)
    with tenant_scope(member.tenant.id):
        conversation = backlog.one(id).conversation
        action = actions.find(request.POST.get("action", "")[:128])
        if action is None:
            raise Problem("There is no such action.", code="invalid")
        values = {
            slot.name: request.POST.get(slot.name, "").strip()[:200]
            for slot in actions.slots_of(action)
        }
        call = actions.call(
            action,
            {name: value for name, value in values.items() if value},
            conversation_id=conversation.id,
            customer=conversation.customer,
            language=languages.of(request),
        )
    try:
        text = actions.carry_out(call)
    except actions.NotFound as missing:
        raise Problem("Nothing was found.", code="not_found") from missing
    except actions.Failed as failed:
        raise Problem("The endpoint did not answer.", code="no_answer") from failed
    return render(request, "portal/inbox/looked_up.html", {"text": text})


def _gloss(suggestion: inbox.Suggestion, language: str, mine: str) -> str:
    """The same in the agent's language, where the tenant has written it in both."""
    if language == mine:
        return ""
    other = replies.find(suggestion.source, mine, strict=True)
    return other if other and other != suggestion.text else ""
