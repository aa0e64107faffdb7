"""Recommendations: history as it is now, candidates, the list that is made of them, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from saas.recommend import arrangement, candidates, reasons, rules, taste
from saas.recommend.arms import USUAL, ArmSettings
from saas.recommend.arrangement import Candidate
from saas.recommend.assortment import Limits, present
from saas.recommend.candidates import Scene
from saas.recommend.catalog import Listing
from saas.recommend.demand import POOL, Demand
from saas.recommend.rules import InForce
from saas.recommend.wishes import wishes

if TYPE_CHECKING:
    from ml.types import Event


@dataclass(frozen=True, slots=True)
class Choice:
    """An item to show, and why; `detail` as of a Candidate."""

    item: Listing
    score: float
    source: str
    because: str | None
    detail: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown. `fallback` is the last one that was needed; `unknown` are items that were
    asked about and are not in the catalog.
    """

    id: UUID
    choices: list[Choice]
    version_id: UUID | None
    fallback: str | None
    unknown: list[str]


def recommend(demand: Demand, settings: ArmSettings = USUAL) -> Answer:
    """The best available items for a demand, done as an experiment's arm does it.

    Never empty while the catalog has an item that fits.
    """
    demand = settings.demand(demand)
    of, live = present()
    live = settings.serving(live, encoder=of.encoder)
    held = rules.in_force(demand.place) if settings.rules else []
    past = taste.history(demand.customer) if demand.customer else []
    scene = Scene(demand, of, live, _limits(demand, held), past, _excluded(demand, past))
    found = candidates.find(scene, _pool(demand, held))
    shown = arrangement.arrange(found.candidates, wishes(scene, held, found.candidates))
    return Answer(
        id=demand.id,
        choices=[_choice(candidate, scene) for candidate in shown],
        version_id=live.version_id,
        fallback=found.fallback(shown),
        unknown=[item for item in demand.items if item not in of.columns.places],
    )


def _limits(demand: Demand, held: Sequence[InForce]) -> Limits:
    priced = demand.wish.filters if demand.wish else ()
    filters = tuple(filter for filter in (demand.filter, *priced) if filter)
    hidden = tuple(rule.targets for rule in held if rule.action == "hide")
    return Limits(demand.category, filters, hidden)


def _excluded(demand: Demand, past: Sequence[Event]) -> frozenset[str]:
    excluded = set(demand.exclude)
    if demand.kind in ("similar", "together"):
        excluded |= set(demand.items)
    if not demand.again:
        excluded |= {event.item for event in past}
    if demand.exclude_bought and demand.customer:
        excluded |= taste.bought(demand.customer)
    return frozenset(excluded)


def _pool(demand: Demand, held: Sequence[InForce]) -> int:
    """How many candidates a list is made of: more than its places where they change them."""
    if demand.kind == "rerank":
        return len(demand.items)
    arranged = demand.arranged or any(rule.action != "hide" for rule in held)
    return max(POOL, 3 * demand.limit) if arranged else demand.limit


def _choice(shown: Candidate, scene: Scene) -> Choice:
    """Says of an item that is shown why it is, in the reader's language."""
    listed, language = scene.catalog.shelf.listed, scene.demand.language
    if shown.source in ("behaviour", "text"):
        shown = replace(shown, detail=reasons.deed(shown.because, scene.past))
    cause = listed.get(shown.because) if shown.because else None
    named = reasons.title(cause, language) if cause else shown.because
    reason = reasons.say(shown, named, language)
    item = listed[shown.item]
    return Choice(item, shown.score, shown.source, shown.because, shown.detail, reason)
