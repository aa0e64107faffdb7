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


class GivenReason(BaseModel):
    """`because` is the item of the customer's history that spoke for this one."""

    source: str
    because: str | None
    text: str


class GivenPick(BaseModel):
    item: str
    title: str | None = Field(description="As it is now; null once it is out of the catalog")
    score: float
    reason: GivenReason


class GivenAnswer(BaseModel):
    recommendation_id: UUID
    customer: str
    kind: str
    scenario: str
    model_version: UUID | None
    experiment: UUID | None
    arm: str
    at: datetime
    items: list[GivenPick]


class AnswerFigures(BaseModel):
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


class DayFigures(AnswerFigures):
    day: date


class VersionFigures(AnswerFigures):
    model_version: UUID | None


class ArmFigures(AnswerFigures):
    experiment: UUID
    arm: str


class ScenarioReport(BaseModel):
    scenario: str
    total: AnswerFigures
    coverage: float | None = Field(
        description=f"Items shown in the newest {online.COVERED:,} answers, of those available now"
    )
    days: list[DayFigures]
    versions: list[VersionFigures]
    arms: list[ArmFigures]


class OnlineReportOut(BaseModel):
    first: date
    last: date
    scenarios: list[ScenarioReport]


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
        responses={200: GivenAnswer},
    )
    def get(self, request: Request, id: UUID) -> Response:
        """An answer as it was given, and why each item was in it."""
        language = self.query(LanguageQuery).language
        row = Recommendation.objects.get(id=id)
        return self.answer(
            GivenAnswer(
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
        responses={200: OnlineReportOut},
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
            OnlineReportOut(
                first=query.first, last=query.last, scenarios=[_scenario(entry) for entry in found]
            )
        )


def _pick(entry: given.Explained) -> GivenPick:
    reason = GivenReason(source=entry.source, because=entry.because, text=entry.reason)
    return GivenPick(item=entry.item, title=entry.title, score=entry.score, reason=reason)


def _scenario(entry: online.Scenario) -> ScenarioReport:
    return ScenarioReport(
        scenario=entry.scenario,
        total=_figures(entry.total),
        coverage=entry.coverage,
        days=[DayFigures(day=day, **_shown(found)) for day, found in entry.days],
        versions=[
            VersionFigures(model_version=id_, **_shown(found)) for id_, found in entry.versions
        ],
        arms=[
            ArmFigures(experiment=id_, arm=arm, **_shown(found)) for id_, arm, found in entry.arms
        ],
    )


def _figures(found: online.Figures) -> AnswerFigures:
    return AnswerFigures.model_validate(found, from_attributes=True)


def _shown(found: online.Figures) -> dict[str, Any]:
    return _figures(found).model_dump()
