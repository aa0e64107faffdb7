"""The guard against jailbreaks and everyday messages, and a model of offensive Chinese."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml.encoder import Encoder
from ml.safety import LEARNT, Guard
from ml.types import Example
from ml.wording import FINE, Wording
from tests.bench import sets

LIMIT = 2_000  # characters of a message, the API's

PROTOCOL = {
    "jailbreaks_caught": "all 666 in the wild, nothing chosen on them; the guard finds a danger in some part "
    "of up to 2,000 characters, as which alone the API takes it",
    "jailbreaks_caught_first": "the same by their first 2,000 characters alone",
    "jailbreaks_caught_words": "the same as the first, by the signs in the words alone",
    "jailbreaks_too_long": "share that the API turns away for its length, caught or not",
    "false_refusals": "the greatest share of the test parts of BANKING77, CLINC150 (in scope) and "
    "SMP2017 in which the guard finds a danger",
    "coldataset_accuracy": "a Wording model fitted on train (chosen on a part cut from it), on dev",
    "coldataset_train_cpu_s": "CPU seconds of that fitting",
}


def measure(data: Path, encoder: Encoder, *, quick: bool) -> dict[str, Any]:
    """The figures that `PROTOCOL` names."""
    step = 6 if quick else 1
    guard = Guard.fit(encoder.encode)
    return (
        _jailbreaks(data, encoder, guard, step)
        | _refusals(data, encoder, guard, step)
        | _cold(data)
    )


def _jailbreaks(data: Path, encoder: Encoder, guard: Guard, step: int) -> dict[str, float]:
    with gzip.open(
        data / "jailbreaks" / "inthewild_jailbreak_llms.json.gz", "rt", encoding="utf-8"
    ) as file:
        texts = json.load(file)[::step]
    parts = [(number, part) for number, text in enumerate(texts) for part in _parts(text)]
    vectors = encoder.encode([part for _, part in parts])
    caught, first, worded = set(), set(), set()
    for (number, part), vector in zip(parts, vectors, strict=True):
        dangers = guard.judge(part, vector)
        if dangers:
            caught.add(number)
            if texts[number].startswith(part):
                first.add(number)
        if any(LEARNT not in danger.reason for danger in dangers):
            worded.add(number)
    return {
        "jailbreaks_caught": len(caught) / len(texts),
        "jailbreaks_caught_first": len(first) / len(texts),
        "jailbreaks_caught_words": len(worded) / len(texts),
        "jailbreaks_too_long": sum(len(text) > LIMIT for text in texts) / len(texts),
    }


def _parts(text: str) -> list[str]:
    return [text[start : start + LIMIT] for start in range(0, len(text), LIMIT)]


def _refusals(data: Path, encoder: Encoder, guard: Guard, step: int) -> dict[str, float]:
    found = {}
    for name in ("banking77", "clinc150", "smp2017"):
        given = getattr(sets, name)(data / name).test[::step]
        texts = [example.text for example in given]
        pairs = zip(texts, encoder.encode(texts), strict=True)
        found[f"false_refusals_{name}"] = sum(bool(guard.judge(*pair)) for pair in pairs) / len(
            texts
        )
    return {"false_refusals": max(found.values())} | found


def _cold(data: Path) -> dict[str, float]:
    train, dev = (_offensive(data / "coldataset" / f"{part}.csv.gz") for part in ("train", "dev"))
    started = time.process_time()
    model = Wording.fit(train)
    spent = time.process_time() - started
    guesses = model.predict([example.text for example in dev])
    right = sum(guess == example.label for guess, example in zip(guesses, dev, strict=True))
    return {"coldataset_accuracy": right / len(dev), "coldataset_train_cpu_s": spent}


def _offensive(path: Path) -> Sequence[Example]:
    rows = sets.read_csv(path)
    return [Example(row["TEXT"], "abuse" if row["label"] == "1" else FINE) for row in rows]
