"""How fast events come in: by batches over HTTP, and by a file of a year.

measure(site, quick=…) is called by the benchmark of recommendations.
"""

from __future__ import annotations

import io
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow
from pyarrow import csv, parquet

from tests.bench import stack
from tests.bench.http import each

BATCH = 500
BATCHES = 200
ROWS = 1_000_000
CUSTOMERS, ITEMS = 50_000, 10_000
YEAR = timedelta(days=365)
KINDS = ("view", "view", "view", "click", "cart", "buy")

PROTOCOL = {
    "events_http_per_s": f"new events over HTTP in batches of {BATCH}, four callers, one web process",
    "events_import_per_s": (
        "the slower of a CSV and a Parquet file of new events, a year of 50,000 customers, by "
        "imports.run: read, checked, stored under row security"
    ),
}


def measure(site: Any, *, quick: bool) -> dict[str, float]:
    """events_http_per_s and events_import_per_s, on tenants of their own."""
    batches = BATCHES // (4 if quick else 1)
    rows = ROWS // (5 if quick else 1)
    return {
        "events_http_per_s": _over_http(stack.Tenant(site, "events"), batches),
        "events_import_per_s": min(
            _by_file(stack.Tenant(site, "events"), name, rows)
            for name in ("year.csv", "year.parquet")
        ),
    }


def _over_http(tenant: stack.Tenant, batches: int) -> float:
    columns = _year(batches * BATCH)
    events = [
        dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
    ]
    parts = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
    warm_up = [event | {"customer": "nobody"} for event in parts[0]]
    tenant.call.post("events", warm_up)
    started = time.perf_counter()
    answers = each("events over HTTP", lambda part: tenant.call.post("events", part), parts)
    seconds = time.perf_counter() - started
    assert sum(answer["created"] for answer in answers) == len(events)
    return len(events) / seconds


def _by_file(tenant: stack.Tenant, name: str, rows: int) -> float:
    from saas import imports

    content = _file(name, rows)
    started = time.perf_counter()
    report = imports.run(imports.KINDS["events"], content, name, tenant_id=tenant.id)
    seconds = time.perf_counter() - started
    assert report.counts["created"] == rows, report.counts
    print(f"{name}: {rows:,} events in {seconds:.1f} s, {rows / seconds:,.0f}/s")
    return rows / seconds


def _file(name: str, rows: int) -> io.BytesIO:
    table, content = pyarrow.table(_year(rows)), io.BytesIO()
    if name.endswith(".parquet"):
        times = table.column("at").cast(pyarrow.timestamp("us", "UTC"))
        place = table.schema.get_field_index("at")
        parquet.write_table(table.set_column(place, "at", times), content)
    else:
        csv.write_csv(table, content)
    content.seek(0)
    return content


def _year(rows: int) -> dict[str, list[Any]]:
    """Events of a year in the order of their time, no two the same; few customers do most of it."""
    chance = random.Random(1)
    begin, step = datetime(2025, 1, 1, tzinfo=UTC), YEAR / rows
    return {
        "customer": [f"C{int(CUSTOMERS * chance.random() ** 2):05}" for _ in range(rows)],
        "item": [f"I{int(ITEMS * chance.random() ** 2):05}" for _ in range(rows)],
        "kind": [chance.choice(KINDS) for _ in range(rows)],
        "quantity": [float(chance.randrange(1, 4)) for _ in range(rows)],
        "at": [(begin + n * step).isoformat().replace("+00:00", "Z") for n in range(rows)],
    }
