"""The queue of messages worth a label, by the live model's doubt and their variety."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from saas import engine
from saas.labelling.models import Turn
from saas.training import store

if TYPE_CHECKING:
    from ml.types import Prediction

READ = 5_000
LENGTH = 200


def read() -> list[Turn]:
    found = Turn.objects.filter(author="customer", state="open").only("id", "text")
    return [turn for turn in found.order_by("-at", "id")[:READ] if len(turn.text) <= 2_000]


def live() -> Any:
    """The live intent model, None where there is none."""
    return store.serving("intent", rows="knowledge", encoder=engine.fingerprint()).model


def choose(read_: list[Turn], model: Any) -> list[Turn]:
    """The turns to ask for, with their worth and suggestions set. Encodes: no scope is open."""
    from ml import selection

    if not read_:
        return []
    texts = [turn.text for turn in read_]
    predictions: list[Prediction | None] = [None] * len(read_)
    doubt = np.ones(len(read_))  # without a model: variety alone
    if model is None:
        vectors = engine.encode_all(texts, "query")
    else:
        seen = model.read(texts, engine.encode_all)
        predictions = list(model.predict(seen, texts))
        doubt, vectors = selection.margin(model.chances(seen, texts)), model.own(seen)
    chosen = []
    for rank, row in enumerate(selection.choose(vectors, doubt, LENGTH)):
        turn, predicted = read_[row], predictions[row]
        turn.worth = 1.0 - rank / LENGTH
        guesses = predicted.alternatives if predicted else ()
        turn.suggestions = [
            {"intent": guess.label, "confidence": round(guess.probability, 4)} for guess in guesses
        ]
        chosen.append(turn)
    return chosen


def keep(chosen: list[Turn]) -> None:
    Turn.objects.exclude(worth=None).update(worth=None, suggestions=[])
    Turn.objects.bulk_update(chosen, ["worth", "suggestions"], batch_size=500)
