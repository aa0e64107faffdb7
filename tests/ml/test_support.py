"""What passages say, and what they do not: numbers, denials, other facts, another language."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import pytest

from ml.background import sentences
from ml.retrieval import centres
from ml.support import Ground

with Path(__file__).with_name("support.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))


@pytest.fixture(scope="module")
def grounds(encoder):
    encode = partial(encoder.encode, kind="passage")
    middle = centres(sentences(), encode(sentences()))
    return {source: Ground([source], encode, middle) for source in {r["source"] for r in ROWS}}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["sentence"][:40])
def test_a_sentence_is_supported_by_what_says_it(grounds, row) -> None:
    found = grounds[row["source"]].support(row["sentence"])

    assert (found is not None) == (row["supported"] == "1")
