"""The API of business rules: items pinned, boosted, buried or hidden in recommendations."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, model_validator
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import NO_CONTENT, Body, PageQuery, View, page, page_of
from saas.recommend import rules
from saas.recommend.api import HEAVIEST, LIGHTEST, Filter
from saas.recommend.models import Rule

READ, WRITE = "recommendations:read", "recommendations:write"
WEIGHTS = {"boost": 2.0, "bury": 0.5}
EXAMPLE = OpenApiExample(
    "The sale first in the shop's window",
    {"name": "November sale", "scenario": "home", "action": "boost", "weight": 3}
    | {"filter": '"sale" in tags', "ends_at": "2026-12-01T00:00:00Z"},
    request_only=True,
)


class RuleIn(Body):
    """Of the items that `filter` admits, or of those in `items`: one of the two."""

    name: str = rows.text(120, says="No two rules have the same")
    scenario: str = rows.optional_text(60, says="Where it holds; left out: everywhere")
    action: Literal["pin", "boost", "bury", "hide"]
    filter: Filter = ""
    items: list[rows.Identifier] = Field(default=[], max_length=1000)
    weight: float | None = Field(
        default=None,
        ge=LIGHTEST,
        le=HEAVIEST,
        description="Of a boost above 1 (2 if not given), of a burial below 1 (0.5): at 2 an item "
        "stands as if it were at half its place",
    )
    position: int = Field(default=1, ge=1, le=100, description="Of the first pinned item, from 1")
    starts_at: rows.Moment | None = None
    ends_at: rows.Moment | None = None
    active: bool = True

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.filter) == bool(self.items):
            raise ValueError("give either a filter or items, to say what the rule is for")
        if self.weight is not None and self.action not in WEIGHTS:
            raise ValueError("weight belongs to boost and bury only; leave it out")
        if self.action == "boost" and self.weight is not None and self.weight <= 1:
            raise ValueError("a boost weighs more than 1; to let items sink, bury them")
        if self.action == "bury" and self.weight is not None and self.weight >= 1:
            raise ValueError("a burial weighs less than 1; to let items rise, boost them")
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("ends_at must be after starts_at")
        return self

    @property
    def values(self) -> dict[str, object]:
        weight = WEIGHTS.get(self.action, 1.0) if self.weight is None else self.weight
        return self.model_dump() | {"weight": weight}


class RuleOut(BaseModel):
    id: UUID
    name: str
    scenario: str
    action: Literal["pin", "boost", "bury", "hide"]
    filter: str
    items: list[str]
    weight: float
    position: int
    starts_at: datetime | None
    ends_at: datetime | None
    active: bool
    created_at: datetime


def _out(row: Rule) -> RuleOut:
    return RuleOut.model_validate(row, from_attributes=True)


class Rules(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_rules", parameters=[PageQuery], responses={200: page_of(RuleOut)}
    )
    def get(self, request: Request) -> Response:
        """Business rules of recommendations, the newest first."""
        return page(self, Rule.objects.all(), _out, ordering="-created_at")

    @extend_schema(
        operation_id="create_rule",
        request=RuleIn,
        responses={201: RuleOut},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Pin, boost, bury or hide items in recommendations. It holds from the next call on."""
        body = self.read(RuleIn)
        return self.answer(_out(rules.create(body.values, actor=self.principal.actor)), 201)


class OneRule(View):
    scopes = {"GET": READ, "PUT": WRITE, "DELETE": WRITE}

    @extend_schema(operation_id="get_rule", responses={200: RuleOut})
    def get(self, request: Request, id: UUID) -> Response:
        """One business rule."""
        return self.answer(_out(Rule.objects.get(id=id)))

    @extend_schema(
        operation_id="put_rule", request=RuleIn, responses={200: RuleOut}, examples=[EXAMPLE]
    )
    def put(self, request: Request, id: UUID) -> Response:
        """Replace a business rule; what is not given is as in a new one."""
        body = self.read(RuleIn)
        return self.answer(_out(rules.replace(id, body.values, actor=self.principal.actor)))

    @extend_schema(operation_id="delete_rule", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete a business rule."""
        rules.remove(id, actor=self.principal.actor)
        return Response(status=204)
