"""What a call for recommendations may ask for."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from saas import rows
from saas.api import Body
from saas.recommend.api import HEAVIEST, LIGHTEST, Filter
from saas.recommend.columns import Targets
from saas.recommend.customers import SESSION
from saas.recommend.demand import Demand, Kind
from saas.recommend.popularity import Window
from saas.recommend.search import Wish

Items = Annotated[list[rows.Identifier], Field(max_length=500)]
# Fields that are of some kinds only, and what each kind cannot do without.
ONLY = {
    "item": ("similar", "together"),
    "items": ("together", "rerank"),
    "window": ("trending",),
    "query": ("search",),
}
NEEDS = {
    "similar": ("item",),
    "together": ("items", "item"),
    "rerank": ("items",),
    "search": ("query",),
}
# What leaves items out or adds some.
NOT_RERANK = (
    *("limit", "filter", "category", "exclude", "again", "exclude_bought"),
    *("max_per_brand", "max_per_category", "explore"),
)
EXAMPLES: dict[str, dict[str, Any]] = {
    "For a customer": {"customer": "C0001", "limit": 5},
    "On a product page": {"kind": "similar", "item": "TEA-001", "filter": "price < 300"},
    "In the cart": {"kind": "together", "items": ["TEA-001", "TEA-002"], "scenario": "cart"},
    "What is in demand": {"kind": "trending", "window": "day", "category": "tea"},
    "Your own list": {"kind": "rerank", "items": ["TEA-001", "TEA-002"], "customer": "C0001"},
    "By text": {"kind": "search", "query": "300元以下的绿茶", "language": "zh"},
}


class Boost(Body):
    """Items that a filter admits stand as if their place were divided by the weight."""

    filter: Filter = Field(min_length=1)
    weight: float = Field(ge=LIGHTEST, le=HEAVIEST, description="Below 1 they sink")


class RecommendationIn(Body):
    """For whom, of what, and how the list should be."""

    kind: Kind = "for_you"
    scenario: str = rows.optional_text(
        60, says="The place in your shop, by which rules and reports go; by default the kind"
    )
    customer: rows.Identifier | None = Field(
        default=None, description="Unknown or left out: what is popular"
    )
    session: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        pattern=rows.NAME,
        description="Of a customer without an id, as in your events; where there is one, it counts",
    )
    item: rows.Identifier | None = Field(default=None, description="Of similar and together")
    items: Items = Field(default=[], description="Of together and rerank")
    window: Window = Field(default="week", description="Of trending")
    query: str = rows.optional_text(500, says="Of search: words, with a price if there is one")
    limit: int = Field(default=10, ge=1, le=100)
    filter: Filter = ""
    boosts: list[Boost] = Field(default=[], max_length=20)
    category: str | None = Field(
        default=None, max_length=120, pattern=rows.NO_NUL, description="Only items of it"
    )
    exclude: list[rows.Identifier] = Field(
        default=[], max_length=1000, description="Ids of items not to show, such as the cart's"
    )
    again: bool = Field(
        default=True, description="Whether items of the customer's history may come again"
    )
    exclude_bought: bool = Field(default=False, description="Not what the customer has bought")
    diversity: float = Field(
        default=0.0, ge=0, le=1, description="How much likeness to items before counts against one"
    )
    max_per_brand: int | None = Field(default=None, ge=1, le=100)
    max_per_category: int | None = Field(default=None, ge=1, le=100)
    rotate: bool = Field(
        default=False, description="Let sink what this customer was shown lately and left alone"
    )
    explore: float = Field(
        default=0.0, ge=0, le=0.5, description="Share of places for new items, drawn by chance"
    )
    language: rows.Language = Field(default="en", description="Of titles and reasons")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for name, kinds in ONLY.items():
            if name in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f"{name} belongs to {' and '.join(kinds)}, not to {self.kind}")
        needed = NEEDS.get(self.kind, ())
        if needed and not any(getattr(self, name) for name in needed):
            raise ValueError(f"{self.kind} needs {' or '.join(needed)}")
        wrong = [name for name in NOT_RERANK if name in self.model_fields_set]
        if self.kind == "rerank" and wrong:
            raise ValueError(f"rerank gives all your items back; leave out {', '.join(wrong)}")
        return self

    def demand(self, wish: Wish | None) -> Demand:
        whom = self.customer or (SESSION + self.session if self.session else "")
        return Demand(
            kind=self.kind,
            scenario=self.scenario,
            customer=whom or None,
            items=tuple(dict.fromkeys([*([self.item] if self.item else []), *self.items])),
            window=self.window,
            wish=wish,
            limit=self.limit,
            language=self.language,
            filter=self.filter,
            boosts=tuple((Targets(boost.filter), boost.weight) for boost in self.boosts),
            category=self.category,
            exclude=frozenset(self.exclude),
            again=self.again,
            exclude_bought=self.exclude_bought,
            diversity=self.diversity,
            max_per_brand=self.max_per_brand,
            max_per_category=self.max_per_category,
            rotate=self.rotate,
            explore=self.explore,
        )
