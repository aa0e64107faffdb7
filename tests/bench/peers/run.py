"""Other recommenders on the same purchases, tuned on the same validation weeks; in an environment
of its own (requirements.txt beside this).

python run.py PURCHASES.csv CUSTOMERS.json OUT.json [--quick]: columns customer, item, at (UTC).
OUT.json has, for each peer, its settings, its validation NDCG@10 and a list of ten items for each of
the customers, items that they had before among them: a shop sells things again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import implicit
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

K = 10
VALIDATION = pd.Timedelta(days=28)
Lists = dict[str, list[str]]
Peer = Callable[[pd.DataFrame, list[str], dict[str, Any]], Lists]


def als(purchases: pd.DataFrame, customers: list[str], settings: dict[str, Any]) -> Lists:
    """Hu, Koren and Volinsky 2008, by `implicit`."""
    matrix, people, items = _matrix(purchases)
    alpha = settings["alpha"]
    model = implicit.als.AlternatingLeastSquares(
        factors=settings["factors"],
        regularization=settings["regularization"],
        iterations=15,
        random_state=0,
    )
    model.fit(matrix * alpha, show_progress=False)
    return _listed(model, matrix, people, items, customers)


def bm25(purchases: pd.DataFrame, customers: list[str], settings: dict[str, Any]) -> Lists:
    """Item-KNN with BM25 weights, by `implicit`."""
    matrix, people, items = _matrix(purchases)
    model = implicit.nearest_neighbours.BM25Recommender(**settings)
    model.fit(matrix, show_progress=False)
    return _listed(model, matrix, people, items, customers)


def ease(purchases: pd.DataFrame, customers: list[str], settings: dict[str, Any]) -> Lists:
    """Steck 2019, as published: bought or not."""
    matrix, people, items = _matrix(purchases)
    seen = (matrix > 0).astype(np.float32)
    gram = np.asarray((seen.T @ seen).todense())
    gram[np.diag_indices_from(gram)] += settings["regularization"]
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    rows = [people[customer] for customer in customers]
    scores = np.asarray(seen[rows] @ weights)
    best = np.argsort(-scores, axis=1)[:, :K]
    return {c: [items[place] for place in row] for c, row in zip(customers, best, strict=True)}


def sasrec(purchases: pd.DataFrame, customers: list[str], settings: dict[str, Any]) -> Lists:
    """Kang and McAuley 2018, by RecTools, with its default loss."""
    from rectools import Columns
    from rectools.dataset import Dataset
    from rectools.models import SASRecModel

    frame = purchases.rename(
        columns={"customer": Columns.User, "item": Columns.Item, "at": Columns.Datetime}
    ).assign(**{Columns.Weight: 1.0})
    dataset = Dataset.construct(frame)
    model = SASRecModel(
        n_factors=settings["factors"],
        session_max_len=settings["length"],
        epochs=settings["epochs"],
        verbose=0,
        deterministic=True,
    )
    model.fit(dataset)
    found = model.recommend(customers, dataset, k=K, filter_viewed=False)
    lists: Lists = {customer: [] for customer in customers}
    for customer, item in zip(found[Columns.User], found[Columns.Item], strict=True):
        lists[customer].append(item)
    return lists


PEERS: dict[str, tuple[Peer, dict[str, list[Any]]]] = {
    "als": (
        als,
        {"factors": [64, 128], "regularization": [0.05, 0.5], "alpha": [1.0, 10.0]},
    ),
    "bm25": (bm25, {"K": [50, 200, 1000], "K1": [1.2, 10.0], "B": [0.2, 0.75]}),
    "ease": (ease, {"regularization": [100.0, 500.0, 2000.0]}),
    # 128 factors were better by as little as 0.016 when they were tried, and take most of an hour.
    "sasrec": (sasrec, {"factors": [64], "length": [50], "epochs": [5, 40]}),
}


def main() -> None:
    columns = {"customer": str, "item": str}
    purchases = pd.read_csv(sys.argv[1], dtype=columns, parse_dates=["at"], keep_default_na=False)
    customers = json.loads(Path(sys.argv[2]).read_text())
    quick = "--quick" in sys.argv
    split = purchases["at"].max() - VALIDATION
    before, after = purchases[purchases["at"] <= split], purchases[purchases["at"] > split]
    wanted = after.groupby("customer")["item"].agg(set).to_dict()
    judges = sorted(set(before["customer"]) & set(wanted))
    found = {}
    for name, (peer, grid) in PEERS.items():
        started, cpu = time.perf_counter(), time.process_time()
        best, kept = -1.0, {}
        for settings in _settings(grid, quick=quick):
            quality = _ndcg(peer(before, judges, settings), wanted)
            print(f"{name} {settings}: validation NDCG {quality:.4f}", file=sys.stderr, flush=True)
            if quality > best:
                best, kept = quality, settings
        found[name] = {
            "settings": kept,
            "validation_ndcg10": best,
            "lists": peer(purchases, customers, kept),
            "seconds": time.perf_counter() - started,
            "cpu_seconds": time.process_time() - cpu,
        }
    Path(sys.argv[3]).write_text(json.dumps(found))


def _settings(grid: dict[str, list[Any]], *, quick: bool) -> Iterator[dict[str, Any]]:
    """All settings of a grid; in the quick form the first of it alone."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
        if quick:
            return


def _matrix(purchases: pd.DataFrame) -> tuple[csr_matrix, dict[str, int], list[str]]:
    """Counts of purchases, customers by their row, and items by their column."""
    rows, people = pd.factorize(purchases["customer"])
    columns, items = pd.factorize(purchases["item"])
    ones = np.ones(len(rows), dtype=np.float32)
    matrix = csr_matrix((ones, (rows, columns)), (len(people), len(items)))
    return matrix, {person: row for row, person in enumerate(people)}, list(items)


def _listed(
    model: Any,
    matrix: csr_matrix,
    people: dict[str, int],
    items: list[str],
    customers: list[str],
) -> Lists:
    rows = np.array([people[customer] for customer in customers])
    best, _ = model.recommend(rows, matrix[rows], N=K, filter_already_liked_items=False)
    return {c: [items[place] for place in row] for c, row in zip(customers, best, strict=True)}


def _ndcg(lists: Lists, wanted: dict[str, set[str]]) -> float:
    discounts = 1 / np.log2(np.arange(K) + 2)
    gains = []
    for customer, items in lists.items():
        hits = np.array([item in wanted[customer] for item in items])
        best = discounts[: min(K, len(wanted[customer]))].sum()
        gains.append(float((hits * discounts[: len(hits)]).sum() / best))
    return float(np.mean(gains))


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
