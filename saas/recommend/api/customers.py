"""The API of customers: what is known of them, who is whom, and what is handed out or erased."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import BatchResult, Body, PageQuery, View, page, page_of, store_batch
from saas.recommend import customers, privacy
from saas.recommend.api.events import StoredEvent
from saas.recommend.attributes import Attributes
from saas.recommend.models import Customer

READ, WRITE = "customers:read", "customers:write"


class CustomerRows(
    RootModel[Annotated[list[customers.CustomerRow], Field(min_length=1, max_length=1000)]]
):
    """Up to 1,000 customers."""


class CustomerOut(BaseModel):
    id: str
    attributes: Attributes
    created_at: datetime


class KnownOut(BaseModel):
    id: str
    attributes: Attributes
    merged: list[str] = Field(description="Anonymous ids that turned out to be this customer")
    events: int
    first_event_at: datetime | None
    last_event_at: datetime | None


class MergeIn(Body):
    anonymous: rows.Identifier = Field(
        description="An anonymous customer's id; of a session: `session:<id>`"
    )


class GivenRecommendation(BaseModel):
    id: UUID
    customer: str
    kind: str
    scenario: str
    items: list[Any] = Field(description="Each its item, source, because and score")
    at: datetime


class Export(BaseModel):
    """All that is kept of a customer's behaviour."""

    id: str
    attributes: Attributes
    merged: list[str]
    events: list[StoredEvent]
    recommendations: list[GivenRecommendation]


class ErasedOut(BaseModel):
    """How many rows are gone."""

    customers: int
    events: int
    recommendations: int
    conversations: int


def _known_out(id: str) -> KnownOut:
    return KnownOut.model_validate(customers.find(id), from_attributes=True)


class Customers(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_customers", parameters=[PageQuery], responses={200: page_of(CustomerOut)}
    )
    def get(self, request: Request) -> Response:
        """The customers of whom you told something, by id."""

        def entry(row: Customer) -> CustomerOut:
            return CustomerOut(
                id=row.external_id, attributes=row.attributes, created_at=row.created_at
            )

        found = Customer.objects.filter(merged_into="")
        return page(self, found, entry, ordering="external_id")

    @extend_schema(
        operation_id="write_customers",
        request=CustomerRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One customer",
                [{"id": "C0001", "attributes": {"city": "上海", "member": True}}],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write customers, up to 1,000. Attributes that are there are replaced.

        Nobody has to be written before events of theirs are sent. An anonymous id that was merged
        stands for the known customer here, too.
        """
        return store_batch(customers.KIND, request.data)


class OneCustomer(View):
    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="get_customer", responses={200: KnownOut})
    def get(self, request: Request, id: str) -> Response:
        """One customer, by its own id or by one that was merged into it."""
        return self.answer(_known_out(id))

    @extend_schema(operation_id="erase_customer", responses={200: ErasedOut})
    def delete(self, request: Request, id: str) -> Response:
        """Erase a customer: attributes, merged ids, events, recommendations, conversations.

        May be repeated: nothing is found then. Models know the customer no more from the next
        training on.
        """
        erased = privacy.erase(id, actor=self.principal.actor)
        return self.answer(ErasedOut.model_validate(erased, from_attributes=True))


class MergeCustomer(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="merge_customer",
        request=MergeIn,
        responses={200: KnownOut},
        examples=[
            OpenApiExample("Signed in", {"anonymous": "session:5f2c"}, request_only=True),
        ],
    )
    def post(self, request: Request, id: str) -> Response:
        """An anonymous customer turned out to be this one: its past and future are this one's.

        May be repeated. 409 `merged_before` where it was merged into another customer.
        """
        customers.merge(id, anonymous=self.read(MergeIn).anonymous)
        return self.answer(_known_out(id))


class ExportCustomer(View):
    scopes = {"GET": READ}

    @extend_schema(operation_id="export_customer", responses={200: Export})
    def get(self, request: Request, id: str) -> StreamingHttpResponse:
        """All that is kept of a customer, in one JSON document, however long."""
        known = customers.find(id).id
        pieces = privacy.export(known, self.principal.tenant_id)
        return StreamingHttpResponse(pieces, content_type="application/json")
