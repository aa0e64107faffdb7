"""Recommendations: history as it is now, candidates, the list that is made of them, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from saas import engine
from saas.recommend import (
    arms,
    arrangement,
    candidates,
    catalog,
    customers,
    reasons,
    rules,
    taste,
)
from saas.recommend.arms import Seat
from saas.recommend.arrangement import Candidate
from saas.recommend.assortment import Limits, present
from saas.recommend.candidates import Scene
from saas.recommend.catalog import Listing
from saas.recommend.demand import POOL, Demand
from saas.recommend.rules import InForce
from saas.recommend.wishes import wishes
from saas.training import store
from tenants.scope import query_together

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
    """What is shown, and what for: the demand as it was answered.

    `fallback` is the last one that was needed; `unknown` are items that were asked about and are not
    in the catalog.
    """

    demand: Demand
    seat: Seat
    choices: list[Choice]
    version_id: UUID | None
    fallback: str | None
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class Moment:
    """What the database knows when a demand comes: the demand as its arm of an experiment wants it,
    by who the customer is by now.
    """

    demand: Demand
    seat: Seat
    live: store.Serving
    held: list[InForce]
    past: list[Event]


def recommend(demand: Demand) -> Answer:
    """The best available items for a demand, done as its arm of an experiment does it.

    Never empty while the catalog has an item that fits.
    """
    moment = _read(demand)
    demand, held, past = moment.demand, moment.held, moment.past
    of = present(moment.live)
    live = moment.seat.settings.serving(moment.live, encoder=of.encoder)
    scene = Scene(demand, of, live, _limits(demand, held), past, _excluded(demand, past))
    found = candidates.find(scene, _pool(demand, held))
    shown = arrangement.arrange(found.candidates, wishes(scene, held, found.candidates))
    return Answer(
        demand=demand,
        seat=moment.seat,
        choices=[_choice(candidate, scene) for candidate in shown],
        version_id=live.version_id,
        fallback=found.fallback(shown),
        unknown=[item for item in demand.items if item not in of.columns.places],
    )


def _read(demand: Demand) -> Moment:
    """All in one trip: each costs as much as what it brings."""
    who, past, tried, held, live = query_together(
        *(customers.WHO, taste.HISTORY, arms.TRIED, rules.IN_FORCE, store.SERVING),
        customer=demand.customer or "",
        scenario=demand.place,
        kind="recommend",
        rows=catalog.NAME,
        encoder=engine.fingerprint(),
    )
    customer = who[0]["customer"]
    seat = arms.seat(tried, customer or str(demand.id))
    return Moment(
        demand=seat.settings.demand(replace(demand, customer=customer or None)),
        seat=seat,
        live=store.served("recommend", live),
        held=rules.read(held) if seat.settings.rules else [],
        past=taste.read(customer, past),
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
