"""The API of challenges: a version beside the live one, on live traffic."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, model_validator
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import Body, PageQuery, View, page, page_of
from saas.errors import Problem
from saas.training import rollout
from saas.training.models import Challenge, ModelVersion


class ChallengeIn(Body):
    version: UUID = Field(description="The model version that challenges the live one")
    mode: Literal["shadow", "share"] = Field(
        default="shadow",
        description="`shadow` watches and never answers; `share` answers some conversations",
    )
    share: float | None = Field(
        default=None, gt=0, lt=1, description="Of the conversations, in mode share"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.mode == "share") != (self.share is not None):
            raise ValueError("give a share in mode share, and only there")
        return self


class ChallengeOut(BaseModel):
    id: UUID
    version: UUID
    champion: UUID
    mode: Literal["shadow", "share"]
    share: float
    started_at: datetime
    ended_at: datetime | None


class ArmOut(BaseModel):
    """Shares are 0 to 1; `answered` is of messages that got no fallback, give or take `answered_within`."""

    version: UUID
    messages: int
    answered: float | None
    answered_within: float | None
    in_scope: float | None
    confidence: float | None


class Swap(BaseModel):
    champion: str
    challenger: str
    times: int


class Compared(ChallengeOut):
    """`agreement` is the share of messages that both took for the same intent (shadow)."""

    champion_arm: ArmOut
    challenger_arm: ArmOut
    agreement: float | None
    swaps: list[Swap] = Field(description="Where they differ, the most frequent first")


def _out(row: Challenge) -> ChallengeOut:
    return ChallengeOut(
        id=row.id,
        version=row.version_id,
        champion=row.champion_id,
        mode=row.mode,  # type: ignore[arg-type]
        share=row.share,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


class Challenges(View):
    scopes = {"GET": "training:read", "POST": "training:write"}

    @extend_schema(
        operation_id="list_challenges",
        parameters=[PageQuery],
        responses={200: page_of(ChallengeOut)},
    )
    def get(self, request: Request) -> Response:
        """Challenges, the newest first."""
        return page(self, Challenge.objects.all(), _out, ordering="-started_at")

    @extend_schema(
        operation_id="start_challenge",
        request=ChallengeIn,
        responses={201: ChallengeOut},
        examples=[
            OpenApiExample(
                "A tenth of the conversations",
                {
                    "version": "1b4e28ba-2fa1-4d3b-8f0e-0d5c1f2a7b90",
                    "mode": "share",
                    "share": 0.1,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Put a version beside the live one. One challenge at a time."""
        body = self.read(ChallengeIn)
        version = ModelVersion.objects.filter(pk=body.version).first()
        if version is None:
            raise Problem("There is no such version. See the list of models.", code="no_version")
        row = rollout.start(
            version,
            mode=body.mode,
            share=body.share or 0.0,
            actor=self.principal.actor,
        )
        return self.answer(_out(row), 201)


class OneChallenge(View):
    scopes = {"GET": "training:read"}

    @extend_schema(operation_id="get_challenge", responses={200: Compared})
    def get(self, request: Request, id: UUID) -> Response:
        """What the two versions have made of the messages so far."""
        row = Challenge.objects.get(id=id)
        found = rollout.compare(row)
        return self.answer(
            Compared(
                **_out(row).model_dump(),
                champion_arm=ArmOut.model_validate(found.champion, from_attributes=True),
                challenger_arm=ArmOut.model_validate(found.challenger, from_attributes=True),
                agreement=found.agreement,
                swaps=[Swap(champion=a, challenger=b, times=n) for a, b, n in found.swaps],
            )
        )


class EndChallenge(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="end_challenge", request=None, responses={200: ChallengeOut})
    def post(self, request: Request, id: UUID) -> Response:
        """End a challenge; the live version answers everything again."""
        row = Challenge.objects.select_for_update().get(id=id)
        rollout.end(row, actor=self.principal.actor)
        row.refresh_from_db()
        return self.answer(_out(row))


class PromoteChallenge(View):
    scopes = {"POST": "training:write"}

    @extend_schema(operation_id="promote_challenge", request=None, responses={200: ChallengeOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Make the challenger the live version and end the challenge."""
        row = Challenge.objects.select_for_update().get(id=id)
        rollout.promote(row, actor=self.principal.actor)
        row.refresh_from_db()
        return self.answer(_out(row))
