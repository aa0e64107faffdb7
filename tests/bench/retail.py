"""Next purchases of a real shop (Online Retail), by time: the last four weeks are the test."""

from __future__ import annotations

import csv
import io
import statistics
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import call_command

from ml import metrics
from tests.bench import stack
from tests.bench.http import each

TEST = timedelta(days=28)
LATENCY_CALLS = 300


class Purchase(NamedTuple):
    customer: str
    item: str
    quantity: float
    at: datetime


def measure(site: Any, folder: Path, *, quick: bool) -> dict[str, float]:
    """NDCG@10 of the product and of a popularity list, and the latency of a recommendation."""
    purchases = read(folder / "online_retail.parquet")
    split = purchases[-1].at - TEST
    train = [p for p in purchases if p.at <= split]
    if quick:
        train = [p for p in train if p.at > split - timedelta(days=120)]
    wanted = targets(train, [p for p in purchases if p.at > split])
    shop = stack.Tenant(site, "retail")
    # The product lives now: the whole history moves so that the test would begin today.
    _import(shop, train, shift=datetime.now(UTC) - split)
    shop.train("recommend")
    customers = sorted(wanted)
    lists = each(f"{shop.slug}: test", lambda customer: recommended(shop, customer), customers)
    popular = _best_sellers(train, split)
    return {
        "retail_ndcg10": statistics.fmean(
            metrics.ndcg_at_k(got, wanted[customer], 10)
            for customer, got in zip(customers, lists, strict=True)
        ),
        "retail_popularity_ndcg10": statistics.fmean(
            metrics.ndcg_at_k(popular, wanted[customer], 10) for customer in customers
        ),
        "recommend_p50_ms": _latency(shop, customers),
    }


def read(path: Path) -> list[Purchase]:
    """Purchases by known customers, the oldest first; cancelled ones (negative) are left out."""
    import pyarrow.parquet as parquet

    columns = ["Description", "Quantity", "InvoiceDate", "CustomerID"]
    purchases = []
    for row in parquet.read_table(path, columns=columns).to_pylist():
        item = (row["Description"] or "").strip()
        if row["CustomerID"] and item and row["Quantity"] > 0:
            at = _time(row["InvoiceDate"])
            purchases.append(
                Purchase(str(int(float(row["CustomerID"]))), item, row["Quantity"], at)
            )
    return sorted(purchases, key=lambda purchase: purchase.at)


def _time(value: Any) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.replace(tzinfo=UTC)


def targets(train: list[Purchase], test: list[Purchase]) -> dict[str, set[str]]:
    known = {purchase.customer for purchase in train}
    targets: dict[str, set[str]] = {}
    for purchase in test:
        if purchase.customer in known:
            targets.setdefault(purchase.customer, set()).add(purchase.item)
    return targets


def _best_sellers(train: list[Purchase], split: datetime) -> list[str]:
    counts = Counter(purchase.item for purchase in train if purchase.at > split - TEST)
    return [item for item, _ in counts.most_common(10)]


def _import(shop: stack.Tenant, train: list[Purchase], *, shift: timedelta) -> None:
    items = sorted({purchase.item for purchase in train})
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder) / "items.csv", ["id", "title"], [(item, item) for item in items])
        rows = [(p.customer, p.item, "buy", p.quantity, (p.at + shift).isoformat()) for p in train]
        columns = ["customer", "item", "kind", "value", "at"]
        _write(Path(folder) / "events.csv", columns, rows)
        for kind in ("items", "events"):
            call_command(f"import_{kind}", shop.slug, str(Path(folder) / f"{kind}.csv"))


def _write(path: Path, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def recommended(shop: stack.Tenant, customer: str) -> list[str]:
    answer = shop.call.post("recommendations", {"customer": customer, "limit": 10})
    return [pick["item"] for pick in answer["items"]]


def _latency(shop: stack.Tenant, customers: list[str]) -> float:
    times = []
    for position in range(LATENCY_CALLS + 20):
        started = time.perf_counter()
        recommended(shop, customers[position % len(customers)])
        if position >= 20:  # after warm-up
            times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)
