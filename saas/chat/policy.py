"""When conversations go to a person by themselves, and when people are there."""

from __future__ import annotations

from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from saas.chat import widgets
from saas.chat.hours import Hours, Part
from saas.chat.models import HandOffPolicy
from tenants import audit

HIGHEST = 9


class Rule(Part):
    """Messages of an intent, of an audience, or of who is upset go to a person with this priority.

    Where a rule names more than one of these, all of them must fit.
    """

    intent: str | None = Field(default=None, min_length=1, max_length=128)
    audience: str | None = Field(default=None, min_length=1, max_length=128)
    sentiment: Literal["negative"] | None = None
    priority: int = Field(ge=0, le=HIGHEST)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if (self.intent, self.audience, self.sentiment) == (None, None, None):
            raise ValueError("name an intent, an audience or a sentiment")
        return self

    def fits(self, *, intent: str | None, audience: str, sentiment: str) -> bool:
        return (
            self.intent in (None, intent)
            and (self.audience is None or self.audience.casefold() == audience.casefold())
            and self.sentiment in (None, sentiment)
        )


class Policy(Hours):
    """`unsure_after` is how many answers in a row the bot may owe; 0 for any number."""

    unsure_after: int = Field(default=3, ge=0, le=20)
    rules: list[Rule] = Field(default=[], max_length=100)

    def priority(self, *, intent: str | None, audience: str, sentiment: str) -> int | None:
        """That of the most urgent rule that fits; None where none does."""
        fitting = (
            rule.priority
            for rule in self.rules
            if rule.fits(intent=intent, audience=audience, sentiment=sentiment)
        )
        return max(fitting, default=None)


def get(widget: UUID | None = None) -> Policy:
    """The current tenant's; with the widget's hours, where it has its own."""
    row = HandOffPolicy.objects.first()
    policy = Policy.model_validate(_fields(row)) if row else Policy()
    own = widgets.get(widget).hours if widget else None
    return policy.model_copy(update=dict(own)) if own else policy


def put(policy: Policy, *, actor: str) -> Policy:
    """Set it."""
    HandOffPolicy.objects.update_or_create(defaults=policy.model_dump(mode="json"))
    audit.record(actor=actor, action="hand_off_policy.set", target="")
    return policy


def _fields(row: HandOffPolicy) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Policy.model_fields}
