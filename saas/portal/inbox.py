"""The inbox: the list of open hand-offs, and the conversation that an agent has before them."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from ml.language import language_of
from saas.chat import (
    actions,
    agents,
    backlog,
    canned,
    conversations,
    desk,
    handoffs,
    inbox,
    presence,
    translation,
)
from saas.chat.backlog import Filter
from saas.chat.models import Conversation, HandOff, Message
from saas.portal import frame, languages, permissions
from saas.portal.words import of as words_of
from tenants import members

SHOWN = 200  # messages of a conversation
PAGE = 50  # hand-offs of the list
LOOKED_AT = 5  # messages, for the language that they are in
LETTERS = re.compile(r"[^\W\d_]")  # a number alone is in no language
FIELDS = ("state", "topic", "sentiment", "owner", "tag", "order")


@frame.page("inbox.read")
def whole(request: HttpRequest, id: UUID | None = None) -> HttpResponse:
    """The whole page, with a conversation where one was chosen; or that alone, as a part."""
    if id and frame.wants_part(request):
        return render(request, "portal/inbox/pane.html", _pane(request, id))
    context = _listed(request) | {"topics": backlog.topics(), "tags": backlog.tags()}
    context |= {"agents": colleagues()} | (_pane(request, id) if id else {})
    return render(request, "portal/inbox/page.html", context)


@frame.page("inbox.read")
def listed(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/inbox/list.html", _listed(request))


@frame.page("inbox.read")
def pane(request: HttpRequest, id: UUID) -> HttpResponse:
    return render(request, "portal/inbox/pane.html", _pane(request, id))


@frame.page("inbox.read")
def thread(request: HttpRequest, id: UUID) -> HttpResponse:
    """The messages alone: what a live page asks for again and again."""
    return render(request, "portal/inbox/thread.html", _thread(request, backlog.one(id)))


def sought(request: HttpRequest) -> Filter:
    """What the address asks for; what it does not know is left out."""
    query: QueryDict = request.GET
    me = frame.member_of(request).agent
    given: dict[str, Any] = {name: query[name][:128] for name in FIELDS if query.get(name)}
    if given.get("order") not in (None, *backlog.ORDERS):
        del given["order"]
    if re.fullmatch("[0-9]", priority := str(query.get("priority", ""))):
        given["priority"] = int(priority)
    return Filter(
        **given,
        mentions=me if query.get("mentions") else "",
        snoozed=bool(query.get("snoozed")),
    )


def colleagues() -> list[str]:
    """Who may be given a conversation."""
    return [member.agent for member in members.everybody(*permissions.ACTIONS["inbox.write"])]


def shown(request: HttpRequest, id: UUID) -> HttpResponse:
    """The conversation as it is now, after something was done in it."""
    return render(request, "portal/inbox/pane.html", _pane(request, id))


def _listed(request: HttpRequest) -> dict[str, Any]:
    filter_ = sought(request)
    page = Paginator(backlog.find(filter_), PAGE).get_page(request.GET.get("page"))
    return {
        "rows": page,
        "elsewhere": _elsewhere(request, page),
        "filter": filter_,
        "me": frame.member_of(request).agent,
        "orders": list(backlog.ORDERS),
    }


def _elsewhere(request: HttpRequest, page: Page[Any]) -> list[tuple[str, str]]:
    """The pages before and after this one, each by what it is and the query that asks for it."""
    query, found = request.GET.copy(), []
    for name, there in (("before", page.has_previous()), ("after", page.has_next())):
        if there:
            query["page"] = str(page.number + (1 if name == "after" else -1))
            found.append((words_of(request)["inbox"][name], query.urlencode()))
    return found


def _pane(request: HttpRequest, id: UUID) -> dict[str, Any]:
    row = backlog.one(id)
    conversation = row.conversation
    mine = languages.of(request)
    others = handoffs.queue().filter(conversation__customer=conversation.customer)
    return _thread(request, row) | {
        "me": frame.member_of(request).agent,
        "is_mine": is_mine(request, row),
        "is_open": row.ended_at is None,
        "tagged": ", ".join(backlog.tags_of(conversation)),
        "agents": colleagues(),
        "mergeable": list(others.exclude(id=row.id)) if conversation.customer else [],
        "canned": _canned(request, conversation),
        "foreign": their if (their := spoken(row)) != mine else "",
        "history": backlog.history(conversation.customer, but=conversation.id),
        "contact": _contact(request, conversation),
        "actions": [(one, actions.slots_of(one)) for one in actions.every()],
    }


def _thread(request: HttpRequest, row: HandOff) -> dict[str, Any]:
    messages = backlog.transcript(row, SHOWN)
    notes = desk.notes(conversations.parts(row.conversation_id))
    entries: list[Any] = sorted([*messages, *notes], key=lambda entry: entry.created_at)
    mine = languages.of(request)
    files = {message.id: list(message.attachments.all()) for message in messages}
    return {
        "row": row,
        "entries": [
            (entry, sent := files.get(entry.id, []), not sent and _is_foreign(entry, mine))
            for entry in entries
        ],
        "can_translate": translation.is_possible(),
        "summary": inbox.summary(messages, language=mine),
        "others": presence.others(row.conversation_id, than=frame.member_of(request).agent),
    }


def is_mine(request: HttpRequest, row: HandOff) -> bool:
    state = row.conversation.state == Conversation.State.AGENT
    return state and row.ended_at is None and row.agent == frame.member_of(request).agent


def _contact(request: HttpRequest, conversation: Conversation) -> list[tuple[str, str]]:
    """What the customer said of themselves before the first message, each with what it is."""
    names = words_of(request)["inbox"]["contact_fields"]
    return [(names.get(field, field), value) for field, value in conversation.contact.items()]


def _canned(request: HttpRequest, conversation: Conversation) -> list[dict[str, str]]:
    member = frame.member_of(request)
    values = {
        "customer": conversation.name,
        "agent": member.name or agents.TEAM[conversation.language],
        "business": member.tenant.name,
    }
    return [
        {"name": one.name, "text": canned.fill(one.text, values)}
        for one in canned.every(conversation.language)
    ]


def spoken(row: HandOff) -> str:
    """The language of what the customer wrote last."""
    said = Message.objects.filter(conversation__in=conversations.parts(row.conversation_id))
    written = said.filter(author=Message.Author.CUSTOMER, attachments=None).order_by("-created_at")
    texts = written.values_list("text", flat=True)[:LOOKED_AT]
    text = next(filter(LETTERS.search, texts), None)
    return language_of(text) if text else str(row.conversation.language)


def _is_foreign(entry: Any, mine: str) -> bool:
    """Whether a customer wrote it in another language than the agent's."""
    by_customer = getattr(entry, "author", "") == Message.Author.CUSTOMER
    return by_customer and bool(LETTERS.search(entry.text)) and language_of(entry.text) != mine


def last_asked(row: HandOff) -> Message | None:
    """The customer's newest message."""
    said = Message.objects.filter(conversation__in=conversations.parts(row.conversation_id))
    return said.filter(author=Message.Author.CUSTOMER).order_by("-created_at").first()
