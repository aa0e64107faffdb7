"""Whether one vector can serve the intents and the passage search: StackFAQ beside BANKING77."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np

from ml.adapters import Adapter
from ml.background import sentences
from ml.finetune import Config, tune
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench, Clock

DEPTH = 10
Pairs = list[tuple[str, str]]


def measure(bench: Bench, given: IntentSet, folder: Path) -> tuple[float, float, float]:
    """MRR@10 of the answers tuned without hard negatives, with them, and on the frozen encoder.

    One half of each thread's questions is trained on, the other searched with.
    """
    taught, asked = _halves(folder)
    found = [_mrr(bench, _adapter(bench, given, taught, way), asked) for way in ("off", "on")]
    return found[0], found[1], _mrr(bench, None, asked)


def _adapter(bench: Bench, given: IntentSet, taught: Pairs, way: str) -> Adapter | None:
    config = Config.suited(len(given.train), hard_negatives=way, epochs=5, refit=False)
    return tune(
        bench.encoder,
        bench.folder,
        given.train,
        passages=taught,
        background=sentences(),
        config=config,
        progress=Clock(),
    ).adapter


def _halves(folder: Path) -> tuple[Pairs, Pairs]:
    with gzip.open(folder / "stackExchange-FAQ.json.gz", "rt", encoding="utf-8") as file:
        threads = json.load(file)["root"]["qapair"]
    taught: Pairs = []
    asked: Pairs = []
    for thread in threads:
        passage = f"{thread['question']}\n{thread['answer'][0]}"
        for number, question in enumerate(q for q in thread["rephr"] if q and q != "*"):
            (asked if number % 2 else taught).append((question, passage))
    return taught, asked


def _mrr(bench: Bench, adapter: Adapter | None, asked: Pairs) -> float:
    passages = list(dict.fromkeys(passage for _, passage in asked))
    texts = bench.encoder.encode(passages, kind="passage", adapter=adapter)
    questions = bench.encoder.encode([question for question, _ in asked], adapter=adapter)
    ranked = np.argsort(-questions @ texts.T, axis=1, kind="stable")[:, :DEPTH]
    own = np.asarray([passages.index(passage) for _, passage in asked])
    hits = ranked == own[:, None]
    return float((hits / np.arange(1, DEPTH + 1)).sum(axis=1).mean())
