"""The encoder tuned to a catalog: what is taken together is alike, whatever else the words say."""

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from ml.encoder import Encoder
from ml.recommend import Plan, Recommender, tuning
from ml.types import Event, Item, Vectors

DAY = 86_400.0
NOW = 100 * DAY
COLOURS = ("red", "blue", "green", "white")
THINGS = ("mug", "lamp", "chair", "towel", "scarf")
ITEMS = [Item(f"{colour} {thing}", f"{thing}, {colour}") for colour in COLOURS for thing in THINGS]
LATER = [f"kettle, {colour}" for colour in COLOURS]


def events() -> list[Event]:
    """Each customer takes four things of one colour."""
    random = np.random.default_rng(0)
    return [
        Event(str(n), f"{COLOURS[n % 4]} {thing}", "buy", 1.0, NOW - (9 - 3 * place) * DAY)
        for n in range(80)
        for place, thing in enumerate(random.permutation(THINGS)[:4])
    ]


def likeness(model: Recommender, later: Vectors) -> float:
    """How like each later item is to those of its colour, in the mean."""
    offer = model.offer(extra=(LATER, later)).only([item.id for item in ITEMS])
    return fmean(
        pick.score
        for item in LATER
        for pick in model.similar(item, k=len(ITEMS), offer=offer)
        if pick.item.startswith(item.split()[-1])
    )


def test_a_later_item_is_found_by_what_tuning_learned(
    encoder: Encoder, weights_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tuning, "STEPS", (10, 10))
    vectors = encoder.encode([item.text for item in ITEMS], kind="passage")
    later = encoder.encode(LATER, kind="passage")
    plan = Plan(held_out_days=1.0, encoder=weights_folder)
    frozen = Recommender.fit(events(), ITEMS, vectors, now=NOW, plan=Plan(held_out_days=1.0))
    Recommender.fit(events(), ITEMS, vectors, now=NOW, plan=plan).save(tmp_path / "model")

    model = Recommender.load(tmp_path / "model")
    text = model.metrics["text"]
    assert text["kept"]
    assert text["tuned_ndcg10"] > text["frozen_ndcg10"]
    assert likeness(model, later) > likeness(frozen, later) + 0.1
