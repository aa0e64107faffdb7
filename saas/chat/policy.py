"""When conversations go to a person by themselves, and when people are there."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from saas.chat.models import HandOffPolicy
from tenants import audit

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HIGHEST = 9


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone; write one such as Asia/Shanghai or Europe/London")
    return name


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Opening(Part):
    """From and to a time of one day."""

    start: time
    end: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise ValueError("end must be after start")
        return self


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


class Policy(Part):
    """`unsure_after` is how many answers in a row the bot may owe; 0 for any number."""

    unsure_after: int = Field(default=3, ge=0, le=20)
    hours: dict[Day, list[Opening]] = Field(default={}, description="None at all: always open")
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(default="UTC", max_length=64)
    rules: list[Rule] = Field(default=[], max_length=100)

    def is_open(self, at: datetime | None = None) -> bool:
        """Whether people are there."""
        local = (at or timezone.now()).astimezone(ZoneInfo(self.timezone))
        today = self.hours.get(DAYS[local.weekday()], [])  # type: ignore[call-overload]
        return not self.hours or any(o.start <= local.time() < o.end for o in today)

    def priority(self, *, intent: str | None, audience: str, sentiment: str) -> int | None:
        """That of the most urgent rule that fits; None where none does."""
        fitting = (
            rule.priority
            for rule in self.rules
            if rule.fits(intent=intent, audience=audience, sentiment=sentiment)
        )
        return max(fitting, default=None)


def get() -> Policy:
    """The current tenant's; the defaults where none was set."""
    row = HandOffPolicy.objects.first()
    return Policy.model_validate(_fields(row)) if row else Policy()


def put(policy: Policy, *, actor: str) -> Policy:
    """Set it."""
    HandOffPolicy.objects.update_or_create(defaults=policy.model_dump(mode="json"))
    audit.record(actor=actor, action="hand_off_policy.set", target="")
    return policy


def _fields(row: HandOffPolicy) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Policy.model_fields}
