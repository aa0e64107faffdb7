"""Next items of Beauty (Amazon 2014), leave-one-out: each customer's last item is the test.

A sequence has no times, only an order: an event lies a day before the one after it, and each
customer's last event but the test is of the same day. The held-out day of the product's own fit is
then the validation item, as the protocol wants it.
"""

from __future__ import annotations

import gzip
import statistics
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ml import metrics
from ml.recommend import Plan, Recommender, Settings, fitting
from ml.types import Event, Item, Vectors

DAY = 86_400.0
NOW = 10_000.5 * DAY  # noon of the day of the last events
K = 10


@dataclass(frozen=True, slots=True)
class Beauty:
    """Items by their number, and each customer's items, the oldest first."""

    items: list[Item]
    asins: list[str]
    sequences: list[list[str]]

    @classmethod
    def read(cls, folder: Path) -> Beauty:
        with gzip.open(folder / "items.tsv.gz", "rt", encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file][1:]
        with gzip.open(folder / "sequences.txt.gz", "rt", encoding="utf-8") as file:
            sequences = [line.split()[1:] for line in file]
        return cls(
            [Item(row[0], row[2] or row[1]) for row in rows], [row[1] for row in rows], sequences
        )

    def every(self, step: int) -> Beauty:
        """The same with each so many-th customer alone."""
        return Beauty(self.items, self.asins, self.sequences[::step])


def history(customer: int, items: list[str]) -> list[Event]:
    """Events of items in their order, the last one of today."""
    last = NOW - DAY / 2
    return [
        Event(str(customer), item, "buy", 1.0, last - (len(items) - 1 - place) * DAY)
        for place, item in enumerate(items)
    ]


def events(beauty: Beauty) -> list[Event]:
    """All but each customer's last one."""
    return [
        event
        for customer, items in enumerate(beauty.sequences)
        for event in history(customer, items[:-1])
    ]


def fit(
    beauty: Beauty,
    vectors: Vectors,
    *,
    sequence: Settings | None = None,
    encoder: Path | None = None,
    refit: bool = True,
) -> list[Recommender]:
    """Recommenders of all but the last items: one that has not read the validation items, which its
    settings and weights are chosen on, and with `refit` one fitted on them too."""
    plan = Plan(held_out_days=1.0, sequence=sequence, encoder=encoder)
    with tqdm(total=100, desc="beauty") as bar:

        def progress(share: float, line: str) -> None:
            bar.set_postfix_str(line, refresh=False)
            bar.update(int(100 * share) - bar.n)

        past = events(beauty)
        work = fitting(past, beauty.items, vectors, now=NOW, plan=plan, progress=progress)
        held = work.run()
        fitted = [held, work.refit(held)] if refit else [held]
    return [Recommender.of(found, beauty.items) for found in fitted]


def judge(model: Recommender, beauty: Beauty) -> dict[str, float]:
    """NDCG@10 and HR@10 of the last items over all items, those seen before left out."""
    gains, hits = [], []
    for customer, items in enumerate(tqdm(beauty.sequences, desc="beauty: test")):
        past, target = items[:-1], items[-1]
        picks = model.recommend(history(customer, past), now=NOW, k=K, exclude=past)
        found = [pick.item for pick in picks]
        gains.append(metrics.ndcg_at_k(found, {target}, K))
        hits.append(float(target in found))
    return {"ndcg10": statistics.fmean(gains), "hr10": statistics.fmean(hits)}
