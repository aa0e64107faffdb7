"""The API of recommendations."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import View
from saas.billing import quota
from saas.billing.models import Kind as Metered
from saas.recommend import given, picks, reasons, search
from saas.recommend.api.demands import EXAMPLES, RecommendationIn

Source = Literal[
    "behaviour", "text", "popular", "new", "similar", "together", "search", "pinned", "given"
]
Fallback = Literal["popular", "newest", "given_order", "nothing_fits"]


class Reason(BaseModel):
    """Why an item is shown; `because` is the item that spoke for it, of the history or asked about."""

    source: Source
    because: str | None
    text: str


class PickOut(BaseModel):
    item: str
    position: int = Field(description="From 1")
    title: str
    brand: str
    category: str
    price: Decimal | None
    currency: str
    url: str
    image: str
    score: float
    reason: Reason


class RecommendationOut(BaseModel):
    recommendation_id: UUID
    model_version: UUID | None
    fallback: Fallback | None = Field(
        description="What filled the list or ordered it, where the kind alone could not; "
        "nothing_fits where the list is empty"
    )
    unknown: list[str] = Field(description="Items you named that are not in the catalog")
    items: list[PickOut]


class Recommendations(View):
    scopes = {"POST": "recommend"}
    scoped = False  # no transaction is held open while the encoder reads a query

    @extend_schema(
        operation_id="recommend",
        request=RecommendationIn,
        responses={200: RecommendationOut},
        examples=[OpenApiExample(name, body, request_only=True) for name, body in EXAMPLES.items()],
    )
    def post(self, request: Request) -> Response:
        """Recommend items to a customer, the best first. Billed as one recommendation.

        Never empty while the catalog has an available item that fits; `fallback` says what helped.
        """
        body = self.read(RecommendationIn)
        wish = search.read(body.query) if body.query else None
        with self.scope():
            self.claim()
            answer = picks.recommend(body.demand(wish))
            quota.charge(
                Metered.RECOMMENDATION,
                key=f"recommendation:{answer.demand.id}",
                api_key=self.principal.key_id,
                work=given.kept(answer),
            )
            return self.keep(self.answer(_out(answer, body.language)))


def _out(answer: picks.Answer, language: str) -> RecommendationOut:
    return RecommendationOut(
        recommendation_id=answer.demand.id,
        model_version=answer.version_id,
        fallback=answer.fallback,  # type: ignore[arg-type]
        unknown=answer.unknown,
        items=[
            _pick_out(position, choice, language)
            for position, choice in enumerate(answer.choices, start=1)
        ],
    )


def _pick_out(position: int, choice: picks.Choice, language: str) -> PickOut:
    item = choice.item
    return PickOut(
        item=item.external_id,
        position=position,
        title=reasons.title(item, language),
        brand=item.brand,
        category=item.category,
        price=item.price,
        currency=item.currency,
        url=item.url,
        image=item.image,
        score=round(choice.score, 6),
        reason=Reason(source=choice.source, because=choice.because, text=choice.reason),  # type: ignore[arg-type]
    )
