"""The API of experiments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, model_validator
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, Body, PageQuery, View, page, page_of
from saas.recommend import arms, experiments, verdicts
from saas.recommend.models import Experiment
from saas.recommend.wording import said_of

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=rows.NAME)]
READ, WRITE = "recommendations:read", "recommendations:write"


class ExperimentArmIn(Body):
    """A part of the customers; `settings` left out: as without the experiment."""

    name: Name
    share: float = Field(gt=0, lt=1, description="Of the customers; of all arms together 1")
    settings: arms.ArmSettings = arms.ArmSettings()


class ExperimentIn(Body):
    """Who is compared, and by what."""

    name: str = Field(min_length=1, max_length=120, pattern=rows.NAME)
    scenario: Name
    metric: experiments.Metric = Field(
        description="`ctr`: the share of a customer's answers that led to a click; `conversion`: "
        "whether the customer bought from one; `revenue`: for how much"
    )
    arms: list[ExperimentArmIn] = Field(
        min_length=2, max_length=6, description="The first one is what the others are compared with"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError("arms need names of their own")
        total = sum(arm.share for arm in self.arms)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of the arms must sum to 1; they sum to {total:g}")
        return self


class ExperimentArm(BaseModel):
    name: str
    share: float
    settings: arms.ArmSettings


class ExperimentOut(BaseModel):
    id: UUID
    name: str
    scenario: str
    metric: experiments.Metric
    arms: list[ExperimentArm]
    started_at: datetime
    ended_at: datetime | None
    winner: str | None


class Estimate(BaseModel):
    """A figure and its 95 % interval."""

    estimate: float
    low: float
    high: float


class ArmResult(BaseModel):
    """`value` is the mean of the metric over the customers that are `counted`."""

    arm: str
    share: float
    customers: int
    counted: int = Field(description="Watched to the end: 1 day for ctr, else 7")
    value: Estimate | None


class ArmComparison(BaseModel):
    """An arm against the first one. The interval of the difference holds at all looks together."""

    arm: str
    difference: Estimate | None = Field(description="null while there is too little")
    better: bool | None = Field(description="null until it is decided")
    needed: int | None = Field(
        description="Customers an arm to decide on a difference as large as the one seen"
    )


class Judged(ExperimentOut):
    """An experiment and what may be concluded from it now."""

    decision: Literal["keep_running", "stop", "mistrust"]
    better: str | None = Field(description="The arm that `stop` is for")
    summary: str
    results: list[ArmResult]
    comparisons: list[ArmComparison]
    ratio_p: float = Field(
        description="How likely the arms are as unlike their shares as this by chance; below .001 "
        "something is wrong, and the decision is `mistrust`"
    )


class LanguageQuery(Body):
    language: rows.Language = Field(default="en", description="Of what is said in words")


class ExperimentEnd(Body):
    winner: Name | None = Field(
        default=None, description="The arm whose settings hold in the scenario from now on"
    )


class Experiments(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_experiments",
        parameters=[PageQuery],
        responses={200: page_of(ExperimentOut)},
    )
    def get(self, request: Request) -> Response:
        """Experiments, the newest first."""
        return page(self, Experiment.objects.all(), _out, ordering="-started_at")

    @extend_schema(
        operation_id="start_experiment",
        request=ExperimentIn,
        responses={201: ExperimentOut},
        examples=[
            OpenApiExample(
                "Does the model sell more than what is popular?",
                {
                    "name": "Model or popular",
                    "scenario": "home",
                    "metric": "conversion",
                    "arms": [
                        {"name": "popular", "share": 0.5, "settings": {"model": "popular"}},
                        {"name": "model", "share": 0.5},
                    ],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Spread the customers of a scenario over arms, from now on."""
        body = self.read(ExperimentIn)
        given = [arms.Arm(**arm.model_dump()) for arm in body.arms]
        row = experiments.start(
            name=body.name,
            scenario=body.scenario,
            metric=body.metric,
            arms=given,
            actor=self.principal.actor,
        )
        return self.answer(_out(row), 201)


class OneExperiment(View):
    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(
        operation_id="get_experiment", parameters=[LanguageQuery], responses={200: Judged}
    )
    def get(self, request: Request, id: UUID) -> Response:
        """What an experiment has found, and whether it may stop. Look as often as you like."""
        language = self.query(LanguageQuery).language
        row = Experiment.objects.get(id=id)
        verdict = verdicts.judge(row)
        return self.answer(
            Judged(
                **_out(row).model_dump(),
                decision=verdict.decision,
                better=verdict.better,
                summary=said_of(verdict, language),
                results=[
                    ArmResult.model_validate(arm, from_attributes=True) for arm in verdict.arms
                ],
                comparisons=[
                    ArmComparison.model_validate(entry, from_attributes=True)
                    for entry in verdict.comparisons
                ],
                ratio_p=verdict.ratio_p,
            )
        )

    @extend_schema(operation_id="delete_experiment", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Forget an experiment, and its winner's settings. Its answers are kept."""
        experiments.delete(Experiment.objects.get(id=id), actor=self.principal.actor)
        return Response(status=204)


class EndExperiment(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="end_experiment",
        request=ExperimentEnd,
        responses={200: ExperimentOut},
        examples=[OpenApiExample("With a winner", {"winner": "model"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """End an experiment. A winner's settings hold from now on, and its model version goes live."""
        row = Experiment.objects.select_for_update().get(id=id)
        experiments.end(row, winner=self.read(ExperimentEnd).winner, actor=self.principal.actor)
        return self.answer(_out(row))


def _out(row: Experiment) -> ExperimentOut:
    return ExperimentOut(
        id=row.id,
        name=row.name,
        scenario=row.scenario,
        metric=row.metric,  # type: ignore[arg-type]
        arms=[ExperimentArm(**arm.model_dump()) for arm in experiments.arms_of(row)],
        started_at=row.started_at,
        ended_at=row.ended_at,
        winner=row.outcome.get("winner"),
    )
