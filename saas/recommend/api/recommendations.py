"""The API of recommendations."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal
from uuid import UUID, uuid4

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, View
from saas.billing import quota
from saas.billing.models import Kind as Metered
from saas.recommend import picks


class RecommendationIn(Body):
    """For whom, and of what."""

    customer: rows.Identifier | None = Field(
        default=None, description="Unknown or left out: what is popular"
    )
    limit: int = Field(default=10, ge=1, le=100)
    category: str | None = Field(
        default=None, max_length=120, pattern=rows.NO_NUL, description="Only items of it"
    )
    exclude: list[rows.Identifier] = Field(
        default=[], max_length=1000, description="Ids of items not to show, such as the cart's"
    )
    again: bool = Field(
        default=True, description="Whether items of the customer's history may come again"
    )
    language: rows.Language = Field(default="en", description="Of titles and reasons")


class Reason(BaseModel):
    """Why an item is shown; `because` is the item of the customer's history that spoke for it."""

    source: Literal["behaviour", "text", "popular", "new"]
    because: str | None
    text: str


class PickOut(BaseModel):
    item: str
    title: str
    price: Decimal | None
    currency: str
    category: str
    score: float
    reason: Reason


class RecommendationOut(BaseModel):
    recommendation_id: UUID
    model_version: UUID | None
    items: list[PickOut]


class Recommendations(View):
    scopes = {"POST": "recommend"}

    @extend_schema(
        operation_id="recommend",
        request=RecommendationIn,
        responses={200: RecommendationOut},
        examples=[
            OpenApiExample("For a customer", {"customer": "C0001", "limit": 5}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Recommend items to a customer, the best first. Billed as one recommendation.

        Never empty while the catalog has an available item that fits.
        """
        body = self.read(RecommendationIn)
        choices, version = picks.recommend(
            customer=body.customer,
            k=body.limit,
            language=body.language,
            category=body.category,
            exclude=body.exclude,
            again=body.again,
        )
        recommendation_id = uuid4()
        quota.charge(
            Metered.RECOMMENDATION,
            key=f"recommendation:{recommendation_id}",
            api_key=self.principal.key_id,
        )
        return self.answer(
            RecommendationOut(
                recommendation_id=recommendation_id,
                model_version=version,
                items=[_pick_out(choice, body.language) for choice in choices],
            )
        )


def _pick_out(choice: picks.Choice, language: str) -> PickOut:
    item = choice.item
    return PickOut(
        item=item.external_id,
        title=picks.title(item, language),
        price=item.price,
        currency=item.currency,
        category=item.category,
        score=round(choice.score, 6),
        reason=Reason(source=choice.source, because=choice.because, text=choice.reason),  # type: ignore[arg-type]
    )
