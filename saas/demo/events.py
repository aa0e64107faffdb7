"""A year of invented customers of the demo shop: what they looked at, put in the cart and bought.

The events are random but not noise. Customers have lasting tastes, the year has seasons, a
purchase is followed by what goes with it, and what is used up is bought again, so a recommender
trained on them has something to learn and a person looking at its picks can tell whether it did.
The same items, seed and `until` always give the same events.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DAYS = 365
NEW_DAYS = 21  # the newest items of each category have been on sale this long
NEW_PER_CATEGORY = 2
GONE_DAYS = 31  # nobody has seen an unavailable item this long: a month and a day for late visits
VISITS_A_YEAR = 7.8

# Liking by tag; a name that starts with @ is a whole category.
PERSONAS: dict[str, dict[str, float]] = {
    "runner": {"running": 5, "recovery": 2, "hydration": 2, "wearable": 2, "low-sugar": 1},
    "hiker": {"hiking": 4, "camping": 4, "ultralight": 2, "emergency": 1, "@outdoor": 1},
    "cyclist": {"cycling": 5, "safety": 2, "waterproof": 1, "rechargeable": 1},
    "tea lover": {"tea": 5, "tea-ware": 5, "green-tea": 2, "oolong": 2},
    "coffee person": {"coffee": 5, "espresso": 3, "grinder": 2, "coffee-beans": 3},
    "home cook": {"cookware": 4, "chinese-cooking": 3, "knives": 3, "spicy": 2, "@kitchen": 1},
    "baker": {"baking": 6, "appliance": 2, "storage": 1, "@kitchen": 1},
    "new parent": {"baby": 5, "newborn": 4, "feeding": 2, "sleep": 2},
    "parent of a toddler": {"toddler": 5, "toy": 2, "school": 1, "bilingual": 2, "family": 1},
    "skincare fan": {"skincare": 4, "brightening": 2, "anti-ageing": 2, "night": 1, "@beauty": 1},
    "sensitive skin": {"sensitive-skin": 6, "fragrance-free": 4, "dry-skin": 1},
    "gadget person": {"wireless": 3, "smart-home": 3, "audio": 2, "phone": 2, "@electronics": 2},
    "student": {"student": 4, "exam": 4, "pens": 2, "laptop": 1, "phone": 1},
    "journal keeper": {"journaling": 5, "fountain-pen": 4, "art": 3, "writing": 3, "ink": 2},
    "office worker": {"office": 5, "desk": 4, "bento": 2, "planner": 2},
    "dresser": {"@clothing": 3, "women": 2, "wool": 2, "cotton": 1},
    "vegan": {"vegan": 6, "eco": 3, "snack": 1},
}

# (label, windows of (month, day) to (month, day), factor inside, factor outside)
Window = tuple[tuple[int, int], tuple[int, int]]
SEASONS: list[tuple[str, list[Window], float, float]] = [
    ("sun-protection", [((5, 10), (8, 31))], 4.0, 0.35),
    ("camping", [((5, 15), (9, 10))], 3.0, 0.5),
    ("summer", [((5, 15), (8, 31))], 1.7, 0.6),
    ("winter", [((11, 1), (12, 31)), ((1, 1), (2, 10))], 2.6, 0.45),
    ("gift", [((11, 10), (12, 24))], 2.4, 0.85),
    ("@stationery", [((2, 1), (2, 28)), ((8, 20), (9, 30))], 3.2, 0.7),
    ("tea", [((11, 1), (12, 31)), ((1, 1), (2, 28))], 1.8, 0.8),
]

# What goes with what, and how often the one leads to the other within days.
COMPLEMENTS: list[tuple[str, str, float]] = [
    ("tent", "sleeping-bag", 0.7),
    ("sleeping-bag", "sleeping-mat", 0.4),
    ("phone-case", "charger", 0.6),
    ("coffee-beans", "grinder", 0.45),
    ("grinder", "coffee-beans", 0.6),
    ("fountain-pen", "ink", 0.6),
    ("green-tea", "tea-ware", 0.25),
    ("newborn", "feeding", 0.35),
    ("backpack", "hydration", 0.35),
]
CONSUMABLES = {"tea", "coffee-beans", "coffee", "skincare", "snack", "haircare"}
CONSUMED_IN = {"@tea", "@beauty", "@kids"}  # a coffee scale is not used up
REPURCHASE = 0.6

# How busy each hour of the day is, UTC.
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 7, 8, 10, 9, 7, 7, 7, 8, 10, 12, 14, 13, 9, 4)


@dataclass(order=True)
class Visit:
    """One planned visit; with an aim it is for that one item, without one it is browsing."""

    at: datetime
    aim: int = -1
    again: bool = False


@dataclass(frozen=True)
class Shop:
    """What is the same for every customer. Rows and columns follow the order of the items."""

    ids: list[str]
    labels: list[set[str]]
    tastes: Floats  # [personas, items], rows sum to 1
    popularity: Floats  # [items]
    likeness: Floats  # [items, items], shared tags
    season: Floats  # [days, items]
    busy: Floats  # [days]
    hours: Floats  # [24], sums to 1
    start: datetime
    until: datetime

    def weights(self, at: datetime) -> Floats:
        """How much each item is looked at on the day of `at`, before any customer's taste."""
        today: Floats = self.season[min((at - self.start).days, DAYS - 1)]
        return today * self.popularity


@dataclass
class Customer:
    name: str
    random: np.random.Generator
    liking: Floats  # [items]
    fondness: Floats  # [items], the rank of each liking from 0 to 1
    bought: set[int] = field(default_factory=set)


def generate(
    items: Sequence[Mapping[str, Any]], *, seed: int = 7, customers: int = 600, until: datetime
) -> Iterator[dict[str, str]]:
    """Yield the events of the 365 days before `until`, oldest first.

    `until` must carry a time zone. Each customer draws from a generator of their own, so asking for
    more customers leaves the others' events as they were.
    """
    if until.tzinfo is None:
        raise ValueError("until needs a time zone")
    if not items:
        return
    shop = _shop(items, seed=seed, until=until.astimezone(UTC).replace(microsecond=0))
    events: list[tuple[datetime, str, int, dict[str, str]]] = []
    for number in range(1, customers + 1):
        customer = _customer(shop, number, seed=seed)
        for order, (at, event) in enumerate(_year(shop, customer)):
            if at < shop.until:
                events.append((at, customer.name, order, event))
    events.sort(key=lambda row: row[:3])
    for row in events:
        yield row[3]


def _shop(items: Sequence[Mapping[str, Any]], *, seed: int, until: datetime) -> Shop:
    labels = [{*item["tags"], "@" + item["category"]} for item in items]
    start = until - timedelta(days=DAYS)
    likings = [[_liking(persona, own) for own in labels] for persona in PERSONAS.values()]
    tastes = np.array(likings) ** 1.5 + 0.03
    shared = np.array([[len(a & b) / len(a | b) for b in labels] for a in labels])
    ranks = np.random.default_rng([seed, 0]).permutation(len(items)) + 1.0
    newest = _newest(items)
    return Shop(
        ids=[str(item["id"]) for item in items],
        labels=labels,
        tastes=tastes / tastes.sum(axis=1, keepdims=True),
        popularity=np.where(newest, np.median(ranks), ranks) ** -0.6,
        likeness=shared + 0.02,
        season=_season(labels, start) * _on_sale(items, newest),
        busy=np.array([_busyness((start + timedelta(days=day + 1)).date()) for day in range(DAYS)]),
        hours=np.array(HOURS) / sum(HOURS),
        start=start,
        until=until,
    )


def _liking(persona: Mapping[str, float], labels: set[str]) -> float:
    # Sorted, because a sum of floats in a set's order may differ from run to run.
    return sum(persona.get(label, 0.0) for label in sorted(labels))


def _season(labels: Sequence[set[str]], start: datetime) -> Floats:
    season = np.ones((DAYS, len(labels)))
    for label, windows, inside, outside in SEASONS:
        columns = np.array([label in own for own in labels])
        for day in range(DAYS):
            today = (start + timedelta(days=day)).date()
            season[day, columns] *= inside if _within(today, windows) else outside
    return season


def _within(today: date, windows: Sequence[Window]) -> bool:
    return any(first <= (today.month, today.day) <= last for first, last in windows)


def _newest(items: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.bool_]:
    of_category: dict[str, list[str]] = {}
    for item in items:
        of_category.setdefault(item["category"], []).append(item["id"])
    newest = {name for ids in of_category.values() for name in sorted(ids)[-NEW_PER_CATEGORY:]}
    return np.array([item["id"] in newest for item in items])


def _on_sale(items: Sequence[Mapping[str, Any]], newest: npt.NDArray[np.bool_]) -> Floats:
    """1 on the days an item can be seen, 0 where not, above 1 where it is news: [days, items]."""
    sale = np.ones((DAYS, len(items)))
    sale[: DAYS - NEW_DAYS, newest] = 0.0
    sale[DAYS - NEW_DAYS :, newest] = 3.0
    gone = np.array([not item.get("available", True) for item in items])
    sale[DAYS - GONE_DAYS :, gone] = 0.0
    return sale


def _customer(shop: Shop, number: int, *, seed: int) -> Customer:
    random = np.random.default_rng([seed, number])
    count = 2 if random.random() < 0.6 else 3
    personas = random.choice(len(PERSONAS), size=count, replace=False)
    share = random.dirichlet(np.full(len(personas), 3.0))
    # Two runners are not the same person: each also likes things for no reason we know.
    whim = random.lognormal(0.0, 0.5, size=len(shop.ids))
    liking = (share @ shop.tastes[personas]) * whim
    fondness = liking.argsort().argsort() / len(liking)
    return Customer(f"C{number:04d}", random, liking=liking, fondness=fondness)


def _year(shop: Shop, customer: Customer) -> Iterator[tuple[datetime, dict[str, str]]]:
    """One customer's events, visit after visit; a purchase may plan further visits."""
    plan = _browsing(shop, customer.random)
    heapq.heapify(plan)
    while plan:
        visit = heapq.heappop(plan)
        weights = shop.weights(visit.at)
        if visit.aim >= 0 and weights[visit.aim] == 0:
            continue
        at = visit.at
        for item in _looked_at(shop, customer, visit, weights):
            for kind, value in _steps(shop, customer, item, visit):
                yield at, _event(shop, customer, item, kind, value, at)
                if kind == "buy":
                    customer.bought.add(item)
                    for follow_up in _follow_ups(shop, customer, item, at):
                        heapq.heappush(plan, follow_up)
                at += timedelta(seconds=int(customer.random.integers(8, 150)))


def _browsing(shop: Shop, random: np.random.Generator) -> list[Visit]:
    """Visits without an aim: a few customers come weekly, many a few times a year, some are new."""
    since = 0 if random.random() < 0.6 else int(random.integers(0, DAYS - 7))
    mean = VISITS_A_YEAR * random.lognormal(-0.32, 0.8) * (DAYS - since) / DAYS
    count = max(1, int(random.poisson(mean)))
    days = np.arange(since, DAYS)
    busy = shop.busy[since:]
    hours = random.choice(24, size=count, p=shop.hours)
    chosen = random.choice(days, size=count, p=busy / busy.sum())
    seconds = random.integers(0, 3600, size=count)
    midnight = shop.start.replace(hour=0, minute=0, second=0) + timedelta(days=1)
    return [
        Visit(midnight + timedelta(days=int(day), hours=int(hour), seconds=int(second)))
        for day, hour, second in zip(chosen, hours, seconds, strict=True)
    ]


def _busyness(today: date) -> float:
    weekend = 1.3 if today.weekday() >= 5 else 1.0
    holidays = 1.4 if (11, 10) <= (today.month, today.day) <= (12, 20) else 1.0
    return weekend * holidays


def _looked_at(shop: Shop, customer: Customer, visit: Visit, weights: Floats) -> list[int]:
    """The items of one visit: the first by taste and season, the rest also by likeness to it."""
    weights = weights * customer.liking
    weights[_owned(shop, customer)] *= 0.03
    if visit.aim >= 0:
        first, more = visit.aim, int(customer.random.poisson(0.4))
    else:
        if weights.sum() <= 0:
            return []
        first, more = _pick(weights, customer.random), 1 + int(customer.random.geometric(0.3))
    seen = [first]
    near = weights * shop.likeness[first]
    for _ in range(more):
        near[seen] = 0.0
        if near.sum() <= 0:
            break
        seen.append(_pick(near, customer.random))
    return seen


def _pick(weights: Floats, random: np.random.Generator) -> int:
    total = np.cumsum(weights)
    return int(np.searchsorted(total, random.random() * total[-1], side="right"))


def _steps(shop: Shop, customer: Customer, item: int, visit: Visit) -> Iterator[tuple[str, str]]:
    """How far it goes with one item: seen, put in the cart, bought."""
    random = customer.random
    yield "view", "1"
    if item == visit.aim:
        to_cart, to_buy = (0.95, 0.95) if visit.again else (0.9, 0.9)
    else:
        to_cart, to_buy = 0.02 + 0.26 * float(customer.fondness[item]) ** 3, 0.55
    if random.random() >= to_cart:
        return
    several = 0.25 if _used_up(shop.labels[item]) else 0.04
    quantity = str(random.integers(2, 4)) if random.random() < several else "1"
    yield "cart", quantity
    if random.random() < to_buy:
        yield "buy", quantity


def _follow_ups(shop: Shop, customer: Customer, item: int, at: datetime) -> Iterator[Visit]:
    random = customer.random
    own = shop.labels[item]
    if _used_up(own) and random.random() < REPURCHASE:
        later = timedelta(days=float(random.uniform(28, 56)))
        yield from _planned(shop, Visit(at + later, aim=item, again=True))
    for cause, effect, chance in COMPLEMENTS:
        if cause not in own or random.random() >= chance:
            continue
        fits = np.array([effect in labels for labels in shop.labels])
        fits[[item, *_owned(shop, customer)]] = False
        weights = fits * customer.liking * shop.weights(at)
        if weights.sum() > 0:
            soon = timedelta(days=float(random.uniform(0.5, 6)))
            yield from _planned(shop, Visit(at + soon, aim=_pick(weights, random)))


def _planned(shop: Shop, visit: Visit) -> Iterator[Visit]:
    if visit.at < shop.until:
        yield Visit(visit.at.replace(microsecond=0), aim=visit.aim, again=visit.again)


def _owned(shop: Shop, customer: Customer) -> list[int]:
    """What the customer has bought and needs no second of."""
    return [item for item in sorted(customer.bought) if not _used_up(shop.labels[item])]


def _used_up(labels: set[str]) -> bool:
    return bool(labels & CONSUMABLES) and bool(labels & CONSUMED_IN)


def _event(
    shop: Shop, customer: Customer, item: int, kind: str, value: str, at: datetime
) -> dict[str, str]:
    return {
        "customer": customer.name,
        "item": shop.ids[item],
        "kind": kind,
        "value": value,
        "at": at.isoformat(),
    }
