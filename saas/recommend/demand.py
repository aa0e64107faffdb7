"""What is asked for in a recommendation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID, uuid4

from saas.recommend.columns import Targets
from saas.recommend.popularity import Window

if TYPE_CHECKING:
    from saas.recommend.search import Wish

Kind = Literal["for_you", "similar", "together", "trending", "rerank", "search"]
POOL = 200  # candidates that a list is arranged from, where it is more than their order


@dataclass(frozen=True, slots=True)
class Demand:
    """`id` is the answer's own: what is drawn by chance is drawn from it."""

    limit: int
    language: str
    kind: Kind = "for_you"
    scenario: str = ""
    customer: str | None = None
    items: tuple[str, ...] = ()
    window: Window = "week"
    wish: Wish | None = None
    filter: str = ""
    boosts: tuple[tuple[Targets, float], ...] = ()
    category: str | None = None
    exclude: frozenset[str] = frozenset()
    again: bool = True
    exclude_bought: bool = False
    diversity: float = 0.0
    max_per_brand: int | None = None
    max_per_category: int | None = None
    rotate: bool = False
    explore: float = 0.0
    id: UUID = field(default_factory=uuid4)

    @property
    def place(self) -> str:
        """The scenario, by default the kind."""
        return self.scenario or self.kind

    @property
    def arranged(self) -> bool:
        """Whether more than the order of the candidates is wished for."""
        caps = self.max_per_brand or self.max_per_category
        return bool(self.boosts or self.diversity or caps or self.rotate)
