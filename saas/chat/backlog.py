"""Open hand-offs as agents look for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from saas.chat import conversations, handoffs
from saas.chat.models import Conversation, HandOff, Message, Note, Tag

Order = Literal["urgent", "longest", "latest"]
ORDERS: dict[str, tuple[str, ...]] = {
    "urgent": ("-priority", "requested_at", "id"),
    "longest": ("requested_at", "id"),
    "latest": ("-last_at", "id"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; an empty field does not matter. `owner` is an agent's name."""

    state: str = ""
    priority: int | None = None
    topic: str = ""
    sentiment: str = ""
    owner: str = ""
    tag: str = ""
    mentions: str = ""
    snoozed: bool = False
    order: Order = "urgent"


def find(sought: Filter) -> QuerySet[Any]:
    """With what was last said, by whom and how they felt, and what it is about."""
    found = _described(handoffs.queue())
    asleep = Q(snoozed_until__gt=timezone.now())
    found = found.filter(asleep) if sought.snoozed else found.exclude(asleep)
    exact = {
        "conversation__state": sought.state,
        "priority__gte": sought.priority,
        "topic": sought.topic,
        "sentiment": sought.sentiment,
        "agent": sought.owner,
    }
    found = found.filter(**{name: value for name, value in exact.items() if value})
    own = {"conversation": OuterRef("conversation")}
    if sought.tag:
        found = found.filter(Exists(Tag.objects.filter(**own, name=sought.tag)))
    if sought.mentions:
        noted = Note.objects.filter(**own, mentions__contains=[sought.mentions])
        found = found.filter(Exists(noted))
    return found.order_by(*ORDERS[sought.order])


def one(hand_off_id: UUID) -> HandOff:
    """Open or ended, described likewise. Raises HandOff.DoesNotExist."""
    found: HandOff = _described(HandOff.objects.select_related("conversation")).get(id=hand_off_id)
    return found


def topics() -> list[str]:
    """What the open ones are about."""
    about = _described(handoffs.queue()).values_list("topic", flat=True).distinct()
    return sorted(topic for topic in about if topic)


def tags() -> list[str]:
    return list(Tag.objects.order_by("name").values_list("name", flat=True).distinct())


def tags_of(conversation: Conversation) -> list[str]:
    own = Tag.objects.filter(conversation=conversation).order_by("name")
    return list(own.values_list("name", flat=True))


def transcript(hand_off: HandOff, most: int) -> list[Message]:
    """The newest messages, the oldest of them first, with those of what was merged into it."""
    said = Message.objects.filter(conversation__in=conversations.parts(hand_off.conversation_id))
    newest = said.order_by("-created_at", "-id").prefetch_related("attachments")
    return list(reversed(newest[:most]))


def history(customer: str, *, but: UUID) -> list[Conversation]:
    """A known customer's other conversations, the latest first."""
    if not customer:
        return []
    others = Conversation.objects.filter(customer=customer).exclude(id=but)
    return list(others.order_by("-updated_at")[:10])


def _described(found: QuerySet[HandOff]) -> QuerySet[Any]:
    said = Message.objects.filter(conversation=OuterRef("conversation")).order_by("-created_at")
    felt = said.filter(author=Message.Author.CUSTOMER).exclude(sentiment="")
    about = said.filter(author=Message.Author.BOT).exclude(intent="")
    return found.annotate(
        last_text=Subquery(said.values("text")[:1]),
        last_author=Subquery(said.values("author")[:1]),
        last_at=Subquery(said.values("created_at")[:1]),
        sentiment=Subquery(felt.values("sentiment")[:1]),
        topic=Subquery(about.values("intent")[:1]),
    )
