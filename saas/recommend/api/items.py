"""The API of the catalog."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, BatchResult, PageQuery, View, page, page_of, store_batch
from saas.recommend import catalog
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
