"""When people are there, and what is said while nobody is."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from saas import rows

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is no time zone; write one such as Asia/Shanghai or Europe/London")
    return name


class Part(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid", frozen=True)


class Words(Part):
    """The same in both languages; what is left out is said in our own words."""

    en: str = rows.optional_text(300)
    zh: str = rows.optional_text(300)


class Opening(Part):
    """From and to a time of one day."""

    start: time
    end: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise ValueError("end must be after start")
        return self


class Hours(Part):
    """When people are there, of a tenant or of one of its widgets."""

    hours: dict[Day, list[Opening]] = Field(default={}, description="None at all: always open")
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(default="UTC", max_length=64)
    away: Words = Field(default=Words(), description="Said to who asks for a person outside them")

    def is_open(self, at: datetime | None = None) -> bool:
        """Whether people are there."""
        local = (at or timezone.now()).astimezone(ZoneInfo(self.timezone))
        today = self.hours.get(DAYS[local.weekday()], [])  # type: ignore[call-overload]
        return not self.hours or any(o.start <= local.time() < o.end for o in today)
