"""The API of answers that were given: why, and what became of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, View
from saas.errors import Problem
from saas.recommend import given, online
from saas.recommend.api.experiments import READ, Estimate, LanguageQuery
from saas.recommend.models import Recommendation

DAYS, MOST_DAYS = 28, 366


class ReasonGiven(BaseModel):
    """`because` is the item of the customer's history that spoke for this one."""

    source: str
    because: str | None
    text: str


class PickGiven(BaseModel):
    item: str
    title: str | None = Field(description="As it is now; null once it is out of the catalog")
    score: float
    reason: ReasonGiven


class AnswerGiven(BaseModel):
    recommendation_id: UUID
    customer: str
    kind: str
    scenario: str
    model_version: UUID | None
    experiment: UUID | None
    arm: str
    at: datetime
    items: list[PickGiven]


class Figures(BaseModel):
    """Of some answers; intervals are of 95 % and take answers for independent of each other."""

    answers: int
    shown: int = Field(description="Items in these answers")
    impressions: int = Field(description="Items of them that an impression event says were seen")
    clicks: int = Field(description="Items of them that were clicked")
    ctr: Estimate | None = Field(description="Share of the answers that led to a click")
    carts: int
    buys: int
    conversion: Estimate | None = Field(description="Share of the answers that led to a buy")
    revenue: float = Field(description="Of these buys, in the catalog's currency")
    revenue_per_answer: Estimate | None


class DayOut(Figures):
    day: date


class VersionOut(Figures):
    model_version: UUID | None


class ArmOut(Figures):
    experiment: UUID
    arm: str


class ScenarioOut(BaseModel):
    scenario: str
    total: Figures
    coverage: float | None = Field(
        description=f"Items shown in the newest {online.COVERED:,} answers, of those available now"
    )
    days: list[DayOut]
    versions: list[VersionOut]
    arms: list[ArmOut]


class ReportOut(BaseModel):
    first: date
    last: date
    scenarios: list[ScenarioOut]


class ReportQuery(Body):
    first: date = Field(
        default_factory=lambda: timezone.now().date() - timedelta(days=DAYS),
        alias="from",
        description=f"Day (UTC) of the first answers; {DAYS} days ago if not given",
    )
    last: date = Field(
        default_factory=lambda: timezone.now().date(),
        alias="to",
        description="Day (UTC) of the last answers; today if not given",
    )
    scenario: str | None = Field(default=None, max_length=60, pattern=rows.NO_NUL)


class OneRecommendation(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="get_recommendation",
        parameters=[LanguageQuery],
        responses={200: AnswerGiven},
    )
    def get(self, request: Request, id: UUID) -> Response:
        """An answer as it was given, and why each item was in it."""
        language = self.query(LanguageQuery).language
        row = Recommendation.objects.get(id=id)
        return self.answer(
            AnswerGiven(
                recommendation_id=row.id,
                customer=row.customer,
                kind=row.kind,
                scenario=row.scenario,
                model_version=row.version,
                experiment=row.experiment,
                arm=row.arm,
                at=row.at,
                items=[_pick(entry) for entry in given.explain(row, language=language)],
            )
        )


class OnlineReport(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="get_recommendation_report",
        parameters=[ReportQuery],
        responses={200: ReportOut},
    )
    def get(self, request: Request) -> Response:
        """What became of the answers of some days: clicks, conversion and revenue by scenario."""
        query = self.query(ReportQuery)
        if not 0 <= (query.last - query.first).days < MOST_DAYS:
            raise Problem(
                f"'from' must not be after 'to', nor more than {MOST_DAYS - 1} days before it."
            )
        found = online.report(query.first, query.last, scenario=query.scenario)
        return self.answer(
            ReportOut(
                first=query.first, last=query.last, scenarios=[_scenario(entry) for entry in found]
            )
        )


def _pick(entry: given.Explained) -> PickGiven:
    reason = ReasonGiven(source=entry.source, because=entry.because, text=entry.reason)
    return PickGiven(item=entry.item, title=entry.title, score=entry.score, reason=reason)


def _scenario(entry: online.Scenario) -> ScenarioOut:
    return ScenarioOut(
        scenario=entry.scenario,
        total=_figures(entry.total),
        coverage=entry.coverage,
        days=[DayOut(day=day, **_shown(found)) for day, found in entry.days],
        versions=[VersionOut(model_version=id_, **_shown(found)) for id_, found in entry.versions],
        arms=[ArmOut(experiment=id_, arm=arm, **_shown(found)) for id_, arm, found in entry.arms],
    )


def _figures(found: online.Figures) -> Figures:
    return Figures.model_validate(found, from_attributes=True)


def _shown(found: online.Figures) -> dict[str, Any]:
    return _figures(found).model_dump()
