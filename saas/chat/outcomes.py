"""What became of conversations: which of them the bot resolved, by a rule that errs against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import TruncDate
from django.utils import timezone

from saas.chat.answers import ANSWERS
from saas.chat.models import Conversation, Feedback, HandOff, Message, Rating

SILENCE = timedelta(hours=24)  # after which a conversation is over, and a return is a new matter


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts of conversations that began in a time. `csat` is 1 to 5, seconds are medians
    from the request for a person until one took it, first wrote, and was done with it.

    `resolved_by_bot` are over, were never with a person, ended with an answer that nobody called
    unhelpful, were not rated 1 or 2, and their customer did not come back within 24 hours.
    """

    conversations: int
    over: int
    handed_off: int
    resolved_by_bot: int
    helpful: int
    unhelpful: int
    ratings: int
    csat: float | None
    seconds_to_person: float | None
    seconds_to_reply: float | None
    seconds_to_end: float | None


@dataclass(frozen=True, slots=True)
class Day:
    """Counts of conversations that began on a day."""

    day: date
    conversations: int
    handed_off: int
    resolved_by_bot: int


@dataclass(frozen=True, slots=True)
class OfAgent:
    """The same of an agent's hand-offs: those that nobody had after them. Seconds to a reply are
    until they themselves wrote; a conversation is rated as a whole, whoever else was in it.
    """

    agent: str
    handed_off: int
    ratings: int
    csat: float | None
    seconds_to_person: float | None
    seconds_to_reply: float | None
    seconds_to_end: float | None


def count(first: date, last: date) -> Outcomes:
    """The current tenant's, of conversations that began from the first to the last day (UTC)."""
    begun = _begun(first, last)
    given = Feedback.objects.filter(message__conversation__in=begun)
    ratings = Rating.objects.filter(conversation__in=begun)
    handed_off = _with_reply(begun)
    over = _over(begun)
    return Outcomes(
        conversations=begun.count(),
        over=over.count(),
        handed_off=begun.filter(_handed_off()).count(),
        resolved_by_bot=_resolved(over).count(),
        helpful=given.filter(helpful=True).count(),
        unhelpful=given.filter(helpful=False).count(),
        ratings=ratings.count(),
        csat=ratings.aggregate(mean=Avg("score"))["mean"],
        seconds_to_person=_median_wait(handed_off, "taken_at"),
        seconds_to_reply=_median_wait(handed_off, "replied_at"),
        seconds_to_end=_median_wait(handed_off, "ended_at"),
    )


def by_day(first: date, last: date) -> list[Day]:
    """Every one of the days."""
    begun = _begun(first, last)
    counted = [
        _a_day(found) for found in (begun, begun.filter(_handed_off()), _resolved(_over(begun)))
    ]
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [Day(day, *(found.get(day, 0) for found in counted)) for day in days]


def by_agent(first: date, last: date) -> list[OfAgent]:
    """Who had hand-offs of those conversations, by their id at the desk."""
    names = ("agent", "conversation", "requested_at", "taken_at", "replied_at", "ended_at")
    handed_off = _with_reply(_begun(first, last), agent=OuterRef("agent")).exclude(agent="")
    theirs: dict[str, list[dict[str, Any]]] = {}
    for row in handed_off.order_by("agent").values(*names, score=F("conversation__ratings__score")):
        theirs.setdefault(row["agent"], []).append(row)
    return [_of(agent, rows) for agent, rows in theirs.items()]


def _of(agent: str, rows: list[dict[str, Any]]) -> OfAgent:
    rated = {row["conversation"]: row["score"] for row in rows if row["score"] is not None}
    seconds = [
        _median((row["requested_at"], row[until]) for row in rows)
        for until in ("taken_at", "replied_at", "ended_at")
    ]
    csat = sum(rated.values()) / len(rated) if rated else None
    return OfAgent(agent, len(rows), len(rated), csat, *seconds)


def _begun(first: date, last: date) -> QuerySet[Conversation]:
    found: QuerySet[Conversation] = Conversation.objects.filter(
        created_at__date__gte=first, created_at__date__lte=last
    )
    return found


def _a_day(found: QuerySet[Conversation]) -> dict[date, int]:
    # By their ids: what they were found by is not counted by.
    counted = Conversation.objects.filter(pk__in=found.values("pk"))
    days = counted.annotate(day=TruncDate("created_at")).values("day").annotate(count=Count("pk"))
    return dict(days.values_list("day", "count"))


def _over(begun: QuerySet[Conversation]) -> QuerySet[Conversation]:
    silent = Q(state=Conversation.State.BOT, updated_at__lt=timezone.now() - SILENCE)
    return begun.filter(Q(state=Conversation.State.CLOSED) | silent)


def _handed_off() -> Exists:
    return Exists(HandOff.objects.filter(conversation=OuterRef("pk")))


def _resolved(over: QuerySet[Conversation]) -> QuerySet[Conversation]:
    said = Message.objects.filter(conversation=OuterRef("pk"), author=Message.Author.BOT)
    last = said.exclude(kind="talk").order_by("-created_at")
    disliked = Feedback.objects.filter(message=OuterRef("last_answer"), helpful=False)
    poor = Rating.objects.filter(conversation=OuterRef("pk"), score__lte=2)
    back = Conversation.objects.filter(
        customer=OuterRef("customer"),
        created_at__gt=OuterRef("created_at"),
        created_at__lt=OuterRef("updated_at") + SILENCE,
    )
    return (
        over.annotate(
            last_answer=Subquery(last.values("id")[:1]), last_kind=Subquery(last.values("kind")[:1])
        )
        .filter(~_handed_off(), last_kind__in=ANSWERS)
        .exclude(Exists(disliked))
        .exclude(Exists(poor))
        # Without an id of the customer nobody can be seen to come back.
        .exclude(~Q(customer="") & Exists(back))
    )


def _median_wait(handed_off: QuerySet[HandOff], until: str) -> float | None:
    """The median time from a request for a person, in seconds; None where none came so far."""
    return _median(handed_off.values_list("requested_at", until))


def _median(spans: Iterable[tuple[datetime, datetime | None]]) -> float | None:
    """Of those that have ended, in seconds; None where none has."""
    waits = sorted(end - start for start, end in spans if end is not None)
    return waits[len(waits) // 2].total_seconds() if waits else None


def _with_reply(begun: QuerySet[Conversation], **by: Any) -> QuerySet[HandOff]:
    """When a person first wrote, after they were asked for and before it was over."""
    said = Message.objects.filter(
        conversation=OuterRef("conversation"),
        author=Message.Author.AGENT,
        created_at__gte=OuterRef("requested_at"),
        **by,
    )
    reply = Subquery(said.order_by("created_at").values("created_at")[:1])
    found: QuerySet[HandOff] = HandOff.objects.filter(conversation__in=begun)
    # Else the reply belongs to a later request of the same conversation.
    in_time = Q(ended_at=None) | Q(ended_at__gte=F("first_reply"))
    return found.annotate(first_reply=reply).annotate(
        replied_at=Case(When(in_time, then=F("first_reply")))
    )
