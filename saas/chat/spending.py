"""What composed answers take of a tenant's budget: taken before a call, corrected after it.

What a killed process had taken stays counted: a budget errs against spending.
"""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F
from django.utils import timezone

from saas import language_model
from saas.chat.models import Spending
from saas.chat.prompts import Policy


def take(policy: Policy, *, tokens_in: int, tokens_out: int) -> bool:
    """Whether this month's budget has room for so many tokens; if it has, they are counted."""
    month = timezone.now().date().replace(day=1)
    Spending.objects.bulk_create([Spending(month=month)], ignore_conflicts=True)
    cost, tokens = language_model.cost(tokens_in, tokens_out), tokens_in + tokens_out
    room = Spending.objects.filter(month=month)
    if policy.tokens_a_month is not None:
        room = room.filter(tokens__lte=policy.tokens_a_month - tokens)
    if policy.cost_a_month is not None:
        room = room.filter(cost__lte=policy.cost_a_month - cost)
    return bool(room.update(tokens=F("tokens") + tokens, cost=F("cost") + cost))


def correct(*, tokens_in: int, tokens_out: int) -> None:
    """Count so many tokens more, or less where they are negative, than were taken."""
    month = timezone.now().date().replace(day=1)
    Spending.objects.filter(month=month).update(
        tokens=F("tokens") + tokens_in + tokens_out,
        cost=F("cost") + language_model.cost(tokens_in, tokens_out),
    )


def this_month() -> tuple[int, Decimal]:
    """Tokens and their cost."""
    row = Spending.objects.filter(month=timezone.now().date().replace(day=1)).first()
    return (row.tokens, row.cost) if row else (0, Decimal(0))
