"""The API of what goes on by itself: the schedule of tuned runs, and the alarms of drift."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.training import drift, schedules
from saas.training.models import Alarm

MEANING = {
    "confidence": {
        "en": "The bot is as sure of its answers as it was no more. Look at new messages and label some.",
        "zh": "机器人对答案的把握程度与上线时不同了。请查看新消息并标注一些。",
    },
    "scope": {
        "en": "The share of messages outside of your intents has changed. New intents may be needed.",
        "zh": "不属于现有意图的消息比例变了。可能需要新的意图。",
    },
}


class AlarmOut(BaseModel):
    """`value` has passed `limit`: a stability index for confidence, a change of share for scope."""

    id: UUID
    version: UUID
    sign: Literal["confidence", "scope"]
    value: float
    limit: float
    messages: int = Field(description="In each of the two samples that were compared")
    meaning: dict[str, str] = Field(description="What it means and what to do, by language")
    raised_at: datetime
    acknowledged_at: datetime | None


def _alarm_out(row: Alarm) -> AlarmOut:
    return AlarmOut(
        id=row.id,
        version=row.version_id,
        sign=row.sign,  # type: ignore[arg-type]
        value=row.value,
        limit=row.limit,
        messages=row.messages,
        meaning=MEANING[row.sign],
        raised_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
    )


class Alarms(View):
    scopes = {"GET": "training:read"}

    @extend_schema(
        operation_id="list_alarms", parameters=[PageQuery], responses={200: page_of(AlarmOut)}
    )
    def get(self, request: Request) -> Response:
        """Where live traffic has moved away from what a version met first, the newest first."""
        return page(self, Alarm.objects.all(), _alarm_out, ordering="-raised_at")


class AcknowledgeAlarm(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="acknowledge_alarm", request=None, responses={200: AlarmOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Note that somebody has seen to an alarm."""
        return self.answer(_alarm_out(drift.acknowledge(id, actor=self.principal.actor)))


class ScheduleBody(Body):
    every: Literal["off", "day", "week"] = Field(description="How often at most; off never")
    least: int = Field(
        default=20, ge=1, le=100_000, description="New examples and corrections that it takes"
    )


class OneSchedule(View):
    scopes = {"GET": "training:read", "PUT": "training:write"}

    @extend_schema(operation_id="get_schedule", responses={200: ScheduleBody})
    def get(self, request: Request) -> Response:
        """When the intent model is tuned again by itself."""
        row = schedules.get()
        return self.answer(ScheduleBody(every=row.every, least=row.least))  # type: ignore[arg-type]

    @extend_schema(
        operation_id="put_schedule",
        request=ScheduleBody,
        responses={200: ScheduleBody},
        examples=[OpenApiExample("Weekly", {"every": "week", "least": 50}, request_only=True)],
    )
    def put(self, request: Request) -> Response:
        """Have the intent model tuned again by itself. Each run is billed as one training run."""
        body = self.read(ScheduleBody)
        schedules.put(every=body.every, least=body.least, actor=self.principal.actor)
        return self.answer(body)
