"""The public data sets of intents, as their authors split them."""

from __future__ import annotations

import csv
import gzip
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ml.types import Example


@dataclass(frozen=True)
class IntentSet:
    """`unlabelled` are further texts whose labels are not looked at; `outside` is out of scope."""

    train: list[Example]
    test: list[Example]
    unlabelled: list[str]
    outside: list[str]

    def every(self, step: int) -> IntentSet:
        """A smaller one: each step-th row of every part."""
        return IntentSet(
            self.train[::step], self.test[::step], self.unlabelled[::step], self.outside[::step]
        )

    def every_test(self, step: int) -> IntentSet:
        """With each step-th test text only."""
        return replace(self, test=self.test[::step])

    def thinned(self, step: int) -> IntentSet:
        """With each step-th example only."""
        return replace(self, train=self.train[::step])


def banking77(folder: Path, *, shots: int | None = None) -> IntentSet:
    """The official test; with `shots` the published few-shot sample and all other training texts."""
    name = f"train_{shots}.csv" if shots else "train.csv"
    train = _examples(folder / name, "category")
    # The few-shot samples are the same texts with other case and punctuation.
    known = {_letters(example.text) for example in train}
    rest = _examples(folder / "train.csv", "category")
    others = [e.text for e in rest if _letters(e.text) not in known]
    return IntentSet(train, _examples(folder / "test.csv", "category"), others, [])


def clinc150(folder: Path) -> IntentSet:
    """Training without any out-of-scope text; the official in-scope and out-of-scope tests."""
    with gzip.open(folder / "data_full.json.gz", "rt", encoding="utf-8") as file:
        parts = json.load(file)
    train, test = ([Example(*row) for row in parts[part]] for part in ("train", "test"))
    return IntentSet(train, test, [], [text for text, _ in parts["oos_test"]])


def smp2017(folder: Path, *, development: bool = False) -> IntentSet:
    """The official test; `development` is whether that part is trained on, too."""
    rows = read_csv(folder / "smp2017_task1.csv")
    taught = ("train", "dev") if development else ("train",)
    train, test = (
        [
            Example(row["text"].strip(), row["label"].strip())
            for row in rows
            if row["split"] in parts
        ]
        for parts in (taught, ("test",))
    )
    return IntentSet(train, test, [], [])


def read_csv(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text.casefold())


def _examples(path: Path, label: str) -> list[Example]:
    return [Example(row["text"].strip(), row[label].strip()) for row in read_csv(path)]
