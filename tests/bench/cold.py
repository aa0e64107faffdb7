"""New items of Beauty: the newest tenth is hidden from behaviour, and who takes one takes which."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ml import metrics
from ml.types import Vectors
from tests.bench import beauty as beauty_
from tests.bench.beauty import NOW, Beauty, K

SHARE = 10  # one in so many items is new

PROTOCOL = {
    "beauty_cold_ndcg10": "the newest 10% of the items (by ASIN) hidden from all behaviour; "
    "customers whose last item is one of them; ranked among those items",
    "beauty_cold_text_ndcg10": "the same by frozen text: cosine to the mean of the history's vectors",
    "beauty_cold_text_centred_ndcg10": "the same, the mean of all items' vectors taken away",
    "beauty_cold_popularity_ndcg10": "the same by how often the hidden events before the last have "
    "each item: an oracle, for what is hidden has no popularity",
}


def measure(beauty: Beauty, vectors: Vectors, *, encoder: Path | None = None) -> dict[str, float]:
    """The figures of `PROTOCOL`, by the product's instant fit, or by one that tunes an encoder."""
    by_age = sorted(range(len(beauty.items)), key=lambda row: beauty.asins[row])
    new = set(by_age[-(len(beauty.items) // SHARE) :])
    hidden = {beauty.items[row].id for row in new}
    places = {item.id: row for row, item in enumerate(beauty.items)}
    left = [[item for item in items[:-1] if item not in hidden] for items in beauty.sequences]
    tests = [
        (past, items[-1])
        for past, items in zip(left, beauty.sequences, strict=True)
        if past and items[-1] in hidden
    ]
    # What is left is all that the fit may read: the last place, which it leaves alone, is empty.
    _, model = beauty_.fit(
        replace(beauty, sequences=[[*past, ""] for past in left]), vectors, encoder=encoder
    )
    offer = model.offer(allowed=hidden)
    rows = np.array(sorted(new))
    ids = [beauty.items[row].id for row in rows]
    centred = vectors - vectors.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    counts = Counter(item for items in beauty.sequences for item in items[:-1])
    popular = sorted(ids, key=lambda item: -counts[item])[:K]
    gains: dict[str, list[float]] = {name: [] for name in PROTOCOL}
    for customer, (past, target) in enumerate(tqdm(tests, desc="beauty: new items")):
        seen = [places[item] for item in past]
        picks = model.recommend(beauty_.history(customer, past), now=NOW, k=K, offer=offer)
        lists = (
            [pick.item for pick in picks],
            _likest(vectors, seen, rows, ids),
            _likest(centred, seen, rows, ids),
            popular,
        )
        for name, found in zip(PROTOCOL, lists, strict=True):
            gains[name].append(metrics.ndcg_at_k(found, {target}, K))
    return {name: statistics.fmean(values) for name, values in gains.items()}


def _likest(vectors: Vectors, seen: list[int], rows: NDArray[np.intp], ids: list[str]) -> list[str]:
    likeness = vectors[rows] @ vectors[seen].mean(axis=0)
    return [ids[place] for place in np.argsort(-likeness, kind="stable")[:K]]
