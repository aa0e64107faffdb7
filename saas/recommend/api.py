"""The API of recommendations: items, events, picks."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID, uuid4

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, BatchResult, Body, PageQuery, View, page, page_of, store_batch
from saas.billing import quota
from saas.billing.models import Kind as Metered
from saas.recommend import catalog, events, picks
from saas.recommend.models import Item


class ItemRows(RootModel[Annotated[list[catalog.ItemRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 items."""


class ItemOut(BaseModel):
    id: str
    title: str
    description: str
    tags: list[str]
    category: str
    price: Decimal | None
    currency: str
    available: bool
    translations: dict[str, catalog.Translation]
    created_at: datetime


def _item_out(row: Item) -> ItemOut:
    return ItemOut(
        id=row.external_id,
        title=row.title,
        description=row.description,
        tags=row.tags,
        category=row.category,
        price=row.price,
        currency=row.currency,
        available=row.available,
        translations=row.translations,
        created_at=row.created_at,
    )


class Items(View):
    scopes = {"GET": "items:read", "POST": "items:write"}

    @extend_schema(
        operation_id="list_items", parameters=[PageQuery], responses={200: page_of(ItemOut)}
    )
    def get(self, request: Request) -> Response:
        """The catalog, by id."""
        return page(self, Item.objects.defer("vector"), _item_out, ordering="external_id")

    @extend_schema(
        operation_id="write_items",
        request=ItemRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One item",
                [
                    {
                        "id": "TEA-001",
                        "title": "Spring Longjing green tea",
                        "tags": ["tea", "green-tea"],
                        "price": "24.00",
                        "currency": "USD",
                        "category": "tea",
                        "translations": {"zh": {"title": "明前龙井绿茶"}},
                    }
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write items, up to 1,000. An id that is there is replaced by what is given now."""
        return store_batch(catalog.KIND, request.data)


class OneItem(View):
    scopes = {"GET": "items:read", "DELETE": "items:write"}

    @extend_schema(operation_id="get_item", responses={200: ItemOut})
    def get(self, request: Request, id: str) -> Response:
        """One item of the catalog."""
        return self.answer(_item_out(Item.objects.defer("vector").get(external_id=id)))

    @extend_schema(operation_id="delete_item", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: str) -> Response:
        """Take an item out of the catalog. Its events are kept."""
        catalog.remove(id)
        return Response(status=204)


class EventRows(RootModel[Annotated[list[events.EventRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 events."""


class Events(View):
    scopes = {"POST": "events:write"}

    @extend_schema(
        operation_id="write_events",
        request=EventRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One view",
                [{"customer": "C0001", "item": "TEA-001", "kind": "view"}],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write events, up to 1,000. The very next recommendation knows them.

        One sent twice counts once, as long as it carries its time `at`.
        """
        return store_batch(events.KIND, request.data)


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
