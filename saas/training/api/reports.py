"""The API of what is known of a model: its report, and why it gives an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ml.explain import METHOD, Neighbour
from ml.recommend.report import RecommendReport
from ml.report import Report
from ml.words import Token
from saas import rows
from saas.api import Body, View
from saas.training import explanations, recommend_page, report_page, reports
from saas.training.models import ModelVersion


class Page(BaseRenderer):
    """HTML as it is."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> str:
        return str(data)


class ReportQuery(Body):
    language: rows.Language = Field(default="en", description="Of the page")
    format: Literal["json", "html"] | None = Field(
        default=None, description="Of the answer, where `Accept` cannot say it"
    )


class ReportOut(BaseModel):
    """What is known of a version, and on which texts it was found out. Shares are 0 to 1."""

    id: UUID
    number: int
    encoder: str
    created_at: datetime
    report: Report | RecommendReport


class OneReport(View):
    scopes = {"GET": "training:read"}
    renderer_classes = [JSONRenderer, Page]

    @extend_schema(
        operation_id="get_report",
        parameters=[ReportQuery],
        responses={(200, "application/json"): ReportOut, (200, "text/html"): OpenApiTypes.STR},
    )
    def get(self, request: Request, id: UUID) -> Response:
        """The report of a version. As a page with `Accept: text/html`."""
        asked = self.query(ReportQuery)
        if asked.format:
            request.accepted_renderer = Page() if asked.format == "html" else JSONRenderer()
            request.accepted_media_type = request.accepted_renderer.media_type
        version = ModelVersion.objects.get(pk=id)
        report = reports.read(version)
        if isinstance(request.accepted_renderer, Page):
            page = _page(version, report, asked.language)
            return Response(page, headers={"Content-Security-Policy": report_page.policy()})
        return self.answer(
            ReportOut(
                id=version.pk,
                number=version.number,
                encoder=version.encoder,
                created_at=version.created_at,
                report=report,
            )
        )


def _page(version: ModelVersion, report: Report | RecommendReport, language: str) -> str:
    if isinstance(report, RecommendReport):
        return recommend_page.render(version, report, language)
    return report_page.render(version, report, language)


class ExplanationIn(Body):
    """A text to explain, by the live version or by another one."""

    text: str = rows.text(2_000, says="What a customer might write, in Chinese or English")
    model: UUID | None = Field(default=None, description="A version; not given, the live one")


class ExplanationOut(BaseModel):
    """The weights of `tokens` add up to `score - baseline - delta`, in logits."""

    model: UUID
    intent: str
    confidence: float
    in_scope: bool = Field(description="False where the text seems to be none of your intents")
    method: str
    tokens: list[Token]
    score: float = Field(description="How far the intent stands above the mean of all")
    baseline: float = Field(description="The same for a text without words")
    delta: float = Field(description="What the method left out: small where it can be trusted")
    read_to: int = Field(description="How many characters were read; the end of a long text is not")
    nearest: list[Neighbour] = Field(
        description="The most alike of your stored examples of the likeliest intents"
    )


class Explanations(View):
    scopes = {"POST": "training:read"}
    scoped = False  # no transaction is held open while gradients are taken
    idempotent = False  # it changes nothing and is not billed

    @extend_schema(
        operation_id="explain_text",
        request=ExplanationIn,
        responses={200: ExplanationOut},
        examples=[
            OpenApiExample("English", {"text": "Where is my order?"}, request_only=True),
            OpenApiExample("Chinese", {"text": "我的快递到哪了？"}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Why a text gets its intent: what each word did for it, and the examples it is like. Not billed.

        It takes up to a few seconds. One is made at a time: `busy` asks to try again.
        """
        body = self.read(ExplanationIn)
        made = explanations.make(self.principal.tenant_id, body.text, body.model)
        return self.answer(
            ExplanationOut(
                model=made.version_id,
                intent=str(made.prediction.label),
                confidence=made.prediction.confidence,
                in_scope=made.prediction.in_scope,
                method=METHOD,
                tokens=list(made.words.tokens),
                score=made.words.score,
                baseline=made.words.baseline,
                delta=made.words.delta,
                read_to=made.words.end,
                nearest=made.nearest,
            )
        )
