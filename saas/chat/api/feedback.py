"""The API of feedback: thumbs, ratings, and what became of conversations."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, PageQuery, View, page, page_of
from saas.chat import feedback, outcomes
from saas.chat.models import Feedback
from saas.errors import Problem

DAYS = 30


class FeedbackIn(Body):
    helpful: bool
    comment: str = rows.optional_text(2_000)


class FeedbackOut(BaseModel):
    message_id: UUID
    helpful: bool
    comment: str
    given_at: datetime


class RatingIn(Body):
    score: int = Field(ge=1, le=5, description="5 is best")
    comment: str = rows.optional_text(2_000)


class RatingOut(BaseModel):
    conversation_id: UUID
    score: int
    comment: str
    given_at: datetime


def _days_ago() -> date:
    return timezone.now().date() - timedelta(days=DAYS)


class OutcomesQuery(Body):
    first: date = Field(
        default_factory=_days_ago, description="Day (UTC); 30 days ago if not given"
    )
    last: date = Field(default_factory=lambda: timezone.now().date(), description="Day (UTC)")


class OutcomesOut(BaseModel):
    """Of the conversations that began in the time asked for."""

    conversations: int
    over: int = Field(description="Closed, or silent for 24 hours with the bot")
    handed_off: int = Field(description="That have been with a person, or waited for one")
    resolved_by_bot: int = Field(
        description="Over, never handed off, ended with an answer that was not called unhelpful, "
        "not rated 1 or 2, and the customer did not begin another within 24 hours"
    )
    helpful: int
    unhelpful: int
    ratings: int
    csat: float | None = Field(description="Mean rating, 1 to 5")
    seconds_to_person: float | None = Field(description="Median from the request until one took it")
    seconds_to_reply: float | None = Field(description="Median until a person first wrote")
    seconds_to_end: float | None = Field(description="Median until it was handed back or closed")


class MessageFeedback(View):
    scopes = {"POST": "chat"}

    @extend_schema(
        operation_id="give_feedback",
        request=FeedbackIn,
        responses={200: FeedbackOut},
        examples=[OpenApiExample("Thumbs up", {"helpful": True}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Say whether an answer helped. Said again, it replaces what was said before."""
        body = self.read(FeedbackIn)
        return self.answer(_out(feedback.give(id, helpful=body.helpful, comment=body.comment)))


class AllFeedback(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(
        operation_id="list_feedback", parameters=[PageQuery], responses={200: page_of(FeedbackOut)}
    )
    def get(self, request: Request) -> Response:
        """What customers said of answers, the newest first."""
        return page(self, Feedback.objects.all(), _out, ordering="-given_at")


class RateConversation(View):
    scopes = {"POST": "chat"}

    @extend_schema(
        operation_id="rate_conversation",
        request=RatingIn,
        responses={200: RatingOut},
        examples=[OpenApiExample("Good", {"score": 4}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Rate a whole conversation, 1 to 5. Rated again, it replaces the earlier rating."""
        body = self.read(RatingIn)
        given = feedback.rate(id, score=body.score, comment=body.comment)
        return self.answer(RatingOut.model_validate(given, from_attributes=True))


class AllOutcomes(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(
        operation_id="get_outcomes", parameters=[OutcomesQuery], responses={200: OutcomesOut}
    )
    def get(self, request: Request) -> Response:
        """What became of conversations, and which of them the bot resolved by itself."""
        query = self.query(OutcomesQuery)
        if query.first > query.last:
            raise Problem("'first' must not be after 'last'; exchange them.")
        found = outcomes.count(query.first, query.last)
        return self.answer(OutcomesOut.model_validate(found, from_attributes=True))


def _out(row: Feedback) -> FeedbackOut:
    return FeedbackOut.model_validate(row, from_attributes=True)
