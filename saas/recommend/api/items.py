"""The API of the catalog."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import (
    NO_CONTENT,
    BatchResult,
    InvalidBody,
    PageQuery,
    View,
    page,
    page_of,
    store_batch,
)
from saas.recommend import items
from saas.recommend.attributes import Attributes
from saas.recommend.models import Item


class ItemRows(RootModel[Annotated[list[items.ItemRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 items."""


class ItemOut(BaseModel):
    id: str
    title: str
    description: str
    tags: list[str]
    category: str
    brand: str
    attributes: Attributes
    price: Decimal | None
    currency: str
    url: str
    image: str
    available: bool
    available_from: datetime | None
    available_until: datetime | None
    stock: int | None
    translations: dict[str, items.Translation]
    created_at: datetime


def _item_out(row: Item) -> ItemOut:
    shown = {name: getattr(row, name) for name in (*items.FIELDS, "created_at")}
    return ItemOut(id=row.external_id, **shown)


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
                        "brand": "Green Hill",
                        "attributes": {"origin": "Hangzhou", "grams": 100},
                        "url": "https://shop.example/tea/001",
                        "stock": 40,
                        "translations": {"zh": {"title": "明前龙井绿茶"}},
                    }
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write items, up to 1,000. An id that is there is replaced by what is given now."""
        return store_batch(items.KIND, request.data)


class OneItem(View):
    scopes = {"GET": "items:read", "PATCH": "items:write", "DELETE": "items:write"}

    @extend_schema(operation_id="get_item", responses={200: ItemOut})
    def get(self, request: Request, id: str) -> Response:
        """One item of the catalog."""
        return self.answer(_item_out(Item.objects.defer("vector").get(external_id=id)))

    @extend_schema(
        operation_id="change_item",
        request=items.ItemChange,
        responses={200: ItemOut},
        examples=[
            OpenApiExample("Stock and price", {"stock": 0, "price": "19.90"}, request_only=True)
        ],
    )
    def patch(self, request: Request, id: str) -> Response:
        """Change some fields of an item; the others stay as they are."""
        given = self.read(items.ItemChange)
        try:
            return self.answer(_item_out(items.change(id, given)))
        except ValidationError as error:
            raise InvalidBody(rows.explain(error, whole="body")) from error

    @extend_schema(operation_id="delete_item", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: str) -> Response:
        """Take an item out of the catalog. Its events are kept."""
        items.remove(id)
        return Response(status=204)
