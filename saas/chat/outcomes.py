"""What became of conversations: which of them the bot resolved, by a rule that errs against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Avg, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from saas.chat.answers import ANSWERS
from saas.chat.models import Conversation, Feedback, HandOff, Message, Rating

SILENCE = timedelta(hours=24)  # after which a conversation is over, and a return is a new matter


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts of conversations that began in a time. `csat` is 1 to 5, seconds are medians.

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


def count(first: date, last: date) -> Outcomes:
    """The current tenant's, of conversations that began from the first to the last day (UTC)."""
    begun = Conversation.objects.filter(created_at__date__gte=first, created_at__date__lte=last)
    given = Feedback.objects.filter(message__conversation__in=begun)
    ratings = Rating.objects.filter(conversation__in=begun)
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
        seconds_to_person=_seconds_to_person(begun),
    )


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


def _seconds_to_person(begun: QuerySet[Conversation]) -> float | None:
    taken = HandOff.objects.filter(conversation__in=begun).exclude(taken_at=None)
    waits = sorted(
        wait.total_seconds()
        for wait in taken.annotate(wait=F("taken_at") - F("requested_at")).values_list(
            "wait", flat=True
        )
    )
    return waits[len(waits) // 2] if waits else None
