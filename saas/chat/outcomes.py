"""What became of conversations: which of them the bot resolved, by a rule that errs against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Avg, Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
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


def count(first: date, last: date) -> Outcomes:
    """The current tenant's, of conversations that began from the first to the last day (UTC)."""
    begun = Conversation.objects.filter(created_at__date__gte=first, created_at__date__lte=last)
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
    done = handed_off.exclude(**{until: None}).annotate(wait=F(until) - F("requested_at"))
    waits = sorted(done.values_list("wait", flat=True))
    return waits[len(waits) // 2].total_seconds() if waits else None


def _with_reply(begun: QuerySet[Conversation]) -> QuerySet[HandOff]:
    """When a person first wrote, after they were asked for and before it was over."""
    said = Message.objects.filter(
        conversation=OuterRef("conversation"),
        author=Message.Author.AGENT,
        created_at__gte=OuterRef("requested_at"),
    )
    reply = Subquery(said.order_by("created_at").values("created_at")[:1])
    found: QuerySet[HandOff] = HandOff.objects.filter(conversation__in=begun)
    # Else the reply belongs to a later request of the same conversation.
    in_time = Q(ended_at=None) | Q(ended_at__gte=F("first_reply"))
    return found.annotate(first_reply=reply).annotate(
        replied_at=Case(When(in_time, then=F("first_reply")))
    )
