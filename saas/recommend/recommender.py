"""Training of the recommender on a tenant's events and catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml.errors import DataError
from ml.recommend import Plan, Recommender, Settings
from ml.types import Event, Item
from saas import engine
from saas.recommend import catalog, robots
from saas.recommend.models import Event as EventRow
from saas.recommend.models import Item as ItemRow
from saas.training import store

if TYPE_CHECKING:
    from ml.types import Vectors

SCORE = "ndcg10"
MOST_EVENTS = 5_000_000
ENCODING = 0.4  # the share of the time that encoding may take


@dataclass(frozen=True, slots=True)
class Data:
    events: list[Event]
    items: list[Item]
    texts: list[str]
    vectors: dict[int, bytes]
    now: float


def read() -> Data:
    """The current tenant's catalog and its newest events, oldest first.

    Without what was merely shown, and without robots.
    """
    items, texts, vectors = [], [], {}
    encoder = engine.fingerprint()
    for place, row in enumerate(ItemRow.objects.order_by("external_id").iterator(chunk_size=2_000)):
        price = None if row.price is None else float(row.price)
        text = catalog.text_of(row)
        items.append(Item(row.external_id, text, row.category, price, row.brand))
        texts.append(text)
        if row.encoder == encoder and row.vector is not None:
            vectors[place] = bytes(row.vector)
    done = EventRow.objects.exclude(kind="impression").exclude(customer__in=robots.find())
    found = done.order_by("-at").values_list("customer", "item", "kind", "value", "at")
    events = [
        Event(customer, item, kind, value, at.timestamp())
        for customer, item, kind, value, at in found[:MOST_EVENTS].iterator(chunk_size=10_000)
    ]
    events.reverse()
    now = events[-1].at if events else 0.0
    return Data(events, items, texts, vectors, now)


def fit(data: Data, task: store.Task, *, progress: Callable[[float, str], None]) -> Recommender:
    if not data.items:
        raise DataError("there are no items; send the catalog and train again")
    progress(0.01, f"{len(data.items):,} items, {len(data.events):,} events.")
    vectors = _vectors(data, progress)
    progress(ENCODING, "Choosing and fitting.")
    return Recommender.fit(
        data.events,
        data.items,
        vectors,
        now=data.now,
        plan=_plan(task),
        progress=lambda share, line: progress(ENCODING + share * (0.95 - ENCODING), line),
    )


def _plan(task: store.Task) -> Plan:
    """A tuned run trains a sequence model too, and the encoder where its options say so."""
    seed = task.options.get("seed", 0)
    if task.step != "tuned":
        return Plan(seed=seed)
    chosen = {"epochs": task.options["epochs"]} if "epochs" in task.options else {}
    encoder = engine.weights_folder() if task.options.get("text") else None
    return Plan(seed=seed, sequence=Settings(**chosen), encoder=encoder)


def _vectors(data: Data, progress: Callable[[float, str], None]) -> Vectors | None:
    """The text vectors of all items: those that are stored, and the others encoded now."""
    if not data.items:
        return None
    missing = [place for place in range(len(data.items)) if place not in data.vectors]
    rows = {place: np.frombuffer(raw, np.float16) for place, raw in data.vectors.items()}
    if missing:
        fresh = engine.encode_all(
            [data.texts[place] for place in missing],
            "passage",
            lambda share, line: progress(share * ENCODING, ""),
        )
        rows.update(zip(missing, fresh, strict=True))
    return np.stack([rows[place] for place in range(len(data.items))]).astype(np.float32)


def rival(model: Recommender, live: Recommender, data: Data) -> dict[str, float]:
    """Nothing besides the held-out purchases tells which of two is better."""
    return {}


def fingerprint(data: Data) -> str:
    digest = hashlib.sha256()
    for item in data.items:
        digest.update(f"{item.id}\0{item.text}\0".encode())
    for event in data.events:
        digest.update(f"{event.customer}\0{event.item}\0{event.kind}\0{event.at}\0".encode())
    return digest.hexdigest()


def load(folder: Path) -> Recommender:
    return Recommender.load(folder)
