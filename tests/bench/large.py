"""A shop of 100,000 items: how fast it recommends over HTTP, beside an exact search as large."""

from __future__ import annotations

import io
import statistics
import time
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from ml.types import Event, Vectors
from tests.bench import stack
from tests.bench.http import each

ITEMS, WORLDS, WIDTH = 100_000, 200, 384
CUSTOMERS, EVENTS = 4_000, 50
DAY = 86_400.0
K = 10
CALLS = 2_000

PROTOCOL = {
    "http_p50_ms": "10 items of 100,000 to a customer with 50 events, over HTTP, one caller, metered",
    "http_p99_ms": "of the same calls",
    "http_per_s": "the same with four callers, on the same two cores as server and database",
    "model_ratio": "median of the model's recommend() / of FAISS' exact search, 100,000 x 384, one "
    "thread each",
}


def measure(site: Any, *, quick: bool) -> dict[str, float]:
    """The figures of `PROTOCOL`, on a made-up shop: items of 200 worlds, customers of three."""
    random = np.random.default_rng(0)
    worlds = random.integers(WORLDS, size=ITEMS)
    vectors = _vectors(random, worlds)
    shop = stack.Tenant(site, "large")
    _stock(shop, worlds, vectors)
    events = _events(random, worlds)
    shop.call.upload("events", "events.parquet", _file(events))
    version = shop.train("recommend")
    calls = CALLS // (4 if quick else 1)
    customers = [f"c{number % CUSTOMERS}" for number in range(calls)]
    recommend = _recommend(shop)
    for customer in customers[:50]:
        recommend(customer)
    times = sorted(recommend(customer) for customer in customers)
    started = time.perf_counter()
    each(f"{shop.slug}: four callers", recommend, customers)
    seconds = time.perf_counter() - started
    return {
        "http_p50_ms": statistics.median(times),
        "http_p99_ms": times[int(0.99 * len(times))],
        "http_per_s": calls / seconds,
        "model_ratio": _model_ratio(shop, version, events, vectors),
    }


def _vectors(random: np.random.Generator, worlds: NDArray[np.int64]) -> Vectors:
    centres = random.normal(size=(WORLDS, WIDTH))
    vectors = centres[worlds] + random.normal(size=(ITEMS, WIDTH))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _stock(shop: stack.Tenant, worlds: NDArray[np.int64], vectors: Vectors) -> None:
    """The catalog as its importer and the encoder would have left it: encoding takes no part."""
    from saas import engine
    from saas.recommend import catalog
    from saas.recommend.models import Item
    from saas.training import store
    from tenants.scope import tenant_scope

    encoder = engine.fingerprint()
    with tenant_scope(shop.id):
        rows = [
            Item(
                external_id=f"i{number}",
                title=f"Item {number} of world {world}",
                category=f"category {world % 40}",
                brand=f"brand {world}",
                price=5 + number % 500,
                vector=vectors[number].astype(np.float16).tobytes(),
                encoder=encoder,
            )
            for number, world in enumerate(worlds.tolist())
        ]
        Item.objects.bulk_create(rows, batch_size=2_000)
        store.touch(catalog.NAME)


def _events(random: np.random.Generator, worlds: NDArray[np.int64]) -> list[Event]:
    """Views and purchases, of a world's first items the most."""
    members = [np.flatnonzero(worlds == world) for world in range(WORLDS)]
    now = time.time()
    events = []
    for customer in range(CUSTOMERS):
        liked = random.choice(WORLDS, 3)
        for _ in range(EVENTS):
            some = members[liked[random.integers(3)]]
            item = some[int(len(some) * random.random() ** 2)]
            kind = "buy" if random.random() < 0.2 else "view"
            at = now - random.random() * 200 * DAY
            events.append(Event(f"c{customer}", f"i{item}", kind, 1.0, at))
    return events


def _file(events: list[Event]) -> bytes:
    table = pyarrow.table(
        {
            "customer": [event.customer for event in events],
            "item": [event.item for event in events],
            "kind": [event.kind for event in events],
            "at": pyarrow.array(
                [int(event.at * 1e6) for event in events], pyarrow.timestamp("us", tz="UTC")
            ),
        }
    )
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


def _recommend(shop: stack.Tenant) -> Any:
    def call(customer: str) -> float:
        started = time.perf_counter()
        answer = shop.call.post("recommendations", {"customer": customer, "limit": K})
        assert len(answer["items"]) == K
        assert answer["model_version"]
        return 1000 * (time.perf_counter() - started)

    return call


def _model_ratio(shop: stack.Tenant, version: UUID, events: list[Event], vectors: Vectors) -> float:
    import faiss
    from threadpoolctl import threadpool_limits

    model = shop.load("recommend", version)
    offer = model.offer()
    histories = [events[start : start + EVENTS] for start in range(0, 200 * EVENTS, EVENTS)]
    index = faiss.IndexFlatIP(WIDTH)
    index.add(vectors)
    with threadpool_limits(1):
        ours = [
            _timed(lambda past=past: model.recommend(past, now=time.time(), k=K, offer=offer))
            for past in histories
        ]
        exact = [
            _timed(lambda row=row: index.search(vectors[row : row + 1], K)) for row in range(200)
        ]
    return statistics.median(ours) / statistics.median(exact)


def _timed(call: Any) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
