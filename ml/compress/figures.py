"""What a change to an encoder costs and brings: size, speed and accuracy, before and after."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml import metrics
from ml.compress import folder
from ml.encoder import Encoder
from ml.intent import IntentModel
from ml.types import Example, Progress

TIMED = 256  # texts that are encoded to take the speed
ONCE = 20  # texts encoded one by one, as one customer's message is


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one encoder: `accuracy` of the instant model on test texts, None where none were given."""

    name: str
    megabytes: float
    texts_per_second: float
    milliseconds: float
    accuracy: float | None


def measure(
    name: str,
    source: Path,
    *,
    dtype: str | None,
    texts: Sequence[str],
    train: Sequence[Example],
    test: Sequence[Example],
    progress: Progress,
) -> Figures:
    """Loads the encoder of a folder and measures it on this machine.

    Speed is the median of three passes over up to 256 of `texts` in batches, and the median of 20
    alone; accuracy that of the instant model, fitted on `train`, on `test`.
    """
    encoder = Encoder.load(source, dtype=dtype)
    some = list(texts[:TIMED])
    encoder.encode(some[:8])  # the first pass pays for what is made once
    batches = [_seconds(encoder, some) for _ in range(3)]
    alone = [_seconds(encoder, [some[n % len(some)]]) for n in range(ONCE)]
    accuracy = None
    if train and test:
        accuracy = _accuracy(encoder, train, test, progress)
    return Figures(
        name=name,
        megabytes=folder.size(source) / 1e6,
        texts_per_second=len(some) / _median(batches),
        milliseconds=1000 * _median(alone),
        accuracy=accuracy,
    )


def show(rows: Sequence[Figures]) -> None:
    """Prints the table."""
    write = sys.stdout.write
    write(f"{'':24} {'MB on disk':>10} {'texts/s':>8} {'ms, one':>8} {'accuracy':>8}\n")
    for row in rows:
        accuracy = "-" if row.accuracy is None else f"{row.accuracy:.4f}"
        write(
            f"{row.name:24} {row.megabytes:10.1f} {row.texts_per_second:8.0f} "
            f"{row.milliseconds:8.1f} {accuracy:>8}\n"
        )


def _accuracy(
    encoder: Encoder, train: Sequence[Example], test: Sequence[Example], progress: Progress
) -> float:
    known, asked = [e.text for e in train], [e.text for e in test]
    vectors = encoder.encode(known, progress=progress)
    model = IntentModel.fit(vectors, [e.label for e in train], texts=known, progress=progress)
    answers = model.predict(encoder.encode(asked, progress=progress), asked)
    return metrics.accuracy([e.label for e in test], [p.label or "" for p in answers])


def _seconds(encoder: Encoder, texts: list[str]) -> float:
    start = time.perf_counter()
    encoder.encode(texts)
    return time.perf_counter() - start


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
