"""Training of the intent model on a tenant's examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ml.intent import IntentModel
from ml.types import Example
from saas import engine
from saas.training.models import Example as Row

SCORE = "accuracy"
ENCODING = 0.6  # the share of the time that encoding takes


def read() -> list[Example]:
    """The current tenant's examples, in an order that does not depend on when they came."""
    rows = Row.objects.order_by("digest").values_list("text", "intent")
    return [Example(text=text, label=intent) for text, intent in rows.iterator(chunk_size=5_000)]


def fit(data: list[Example], *, progress: Callable[[float, str], None]) -> IntentModel:
    progress(0.01, f"Encoding {len(data):,} examples.")
    vectors = engine.encode_all(
        [example.text for example in data],
        "query",
        lambda share, line: progress(share * ENCODING, ""),
    )
    progress(ENCODING, "Fitting.")
    return IntentModel.fit(
        vectors,
        [example.label for example in data],
        background=engine.background(),
        progress=lambda share, line: progress(ENCODING + share * (0.95 - ENCODING), line),
    )


def fingerprint(data: list[Example]) -> str:
    digest = hashlib.sha256()
    for example in data:
        digest.update(f"{example.text}\0{example.label}\0".encode())
    return digest.hexdigest()


def load(folder: Path) -> IntentModel:
    return IntentModel.load(folder)
