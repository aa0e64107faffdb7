"""Recommendations: next items of Beauty and of a real shop, new items, peers, and speed."""

from __future__ import annotations

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml import metrics
from ml.recommend import Settings, linear
from ml.recommend.choice import Choice
from ml.recommend.interactions import Interactions
from tests.bench import beauty, cold, events, large, retail, stack
from tests.bench.main_job import encoder

EPOCHS_QUICK = 4
PEERS = Path(__file__).parent / "peers"
ROOT = Path(__file__).resolve().parents[2]

PROTOCOL = {
    "beauty_ndcg10": "leave-one-out, all items ranked, items seen before left out; the validation "
    "item is input, and what the ranking's weights and the epochs are chosen on",
    "beauty_hr10": "the same",
    "beauty_refit_ndcg10": "the same, and all models are trained on the validation items too",
    "retail_ndcg10": "Online Retail: the last 28 days are the test; the product over HTTP, an instant run",
    "retail_best_peer_ndcg10": "the best of ALS and BM25-KNN (implicit), EASE, and SASRec (RecTools), "
    "each tuned on the 28 days before the test",
    "linear_cpu_s": "CPU-seconds of fitting the linear model on Beauty once",
    "sequence_cpu_s": "CPU-seconds of training the sequence model on Beauty, once",
}


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    protocol = PROTOCOL | cold.PROTOCOL | large.PROTOCOL | events.PROTOCOL
    figures: dict[str, Any] = dict.fromkeys(protocol)
    site = stack.start(running)  # first: it says where the settings are
    figures |= _beauty(data / "beauty", quick=quick)
    figures |= retail.measure(site, data / "online_retail", quick=False)
    figures |= _peers(data / "online_retail", quick=quick)
    figures |= large.measure(site, quick=quick)
    figures |= events.measure(site, quick=quick)
    notes = (
        {"quick": "fewer epochs, no refit, every fourth customer, peers untuned, fewer calls"}
        if quick
        else {}
    )
    return figures, protocol | notes | {"encoder": encoder().fingerprint}


def _beauty(folder: Path, *, quick: bool) -> dict[str, Any]:
    whole = beauty.Beauty.read(folder)
    vectors = encoder().encode([item.text for item in whole.items], kind="passage")
    settings = Settings(epochs=EPOCHS_QUICK) if quick else Settings()
    made = beauty.fit(whole, vectors, sequence=settings, refit=not quick)
    tested = whole.every(4) if quick else whole
    found, *again = (beauty.judge(model, tested) for model in made)
    trained, models = made[0].metrics.get("sequence", {}), made[0].metrics["models"]
    print({name: model["ndcg10"] for name, model in models.items()}, found, again, flush=True)
    return {
        "beauty_ndcg10": found["ndcg10"],
        "beauty_hr10": found["hr10"],
        "beauty_refit_ndcg10": again[0]["ndcg10"] if again else None,
        "linear_cpu_s": _linear_cpu(whole),
        "sequence_cpu_s": trained.get("cpu_seconds"),
        "sequence_epochs": trained.get("epochs"),
        **cold.measure(whole, vectors),
    }


def _linear_cpu(whole: beauty.Beauty) -> float:
    """EASE on all events but the last ones, with the settings that a fit begins with."""
    places = {item.id: place for place, item in enumerate(whole.items)}
    past = Interactions.of(beauty.events(whole), places, now=beauty.NOW)
    started = time.process_time()
    matrix = past.matrix(half_life=Choice().half_life, kind_weights={"buy": 1.0})
    linear.weights(matrix, regularisation=Choice().regularisation)
    return time.process_time() - started


def _peers(folder: Path, *, quick: bool) -> dict[str, Any]:
    """NDCG@10 of the peers on the same customers, of the best one and of each."""
    purchases = retail.read(folder / "online_retail.parquet")
    split = purchases[-1].at - retail.TEST
    train = [purchase for purchase in purchases if purchase.at <= split]
    wanted = retail.targets(train, [purchase for purchase in purchases if purchase.at > split])
    found = _lists(train, sorted(wanted), quick=quick)
    each = {
        f"retail_{name}_ndcg10": statistics.fmean(
            metrics.ndcg_at_k(peer["lists"][customer], items, 10)
            for customer, items in wanted.items()
        )
        for name, peer in found.items()
    }
    return {"retail_best_peer_ndcg10": max(each.values()), **each}


def _lists(train: list[retail.Purchase], customers: list[str], *, quick: bool) -> dict[str, Any]:
    """What each peer recommends (peers/run.py)."""
    columns = ("customer", "item", "at")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with (place / "train.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([getattr(row, name) for name in columns] for row in train)
        (place / "customers.json").write_text(json.dumps(customers))
        files = [str(place / n) for n in ("train.csv", "customers.json", "found.json")]
        command = [_environment(), str(PEERS / "run.py"), *files, *(["--quick"] * quick)]
        subprocess.run(command, check=True)
        return dict(json.loads(Path(files[-1]).read_text()))


def _environment() -> str:
    """Python of the peers' own environment, which the first run makes (some minutes)."""
    python = ROOT / "var" / "peers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    listed = ["-r", str(PEERS / "requirements.txt")]
    subprocess.run([str(python), "-m", "pip", "install", "-q", *listed], check=True)
    return str(python)
