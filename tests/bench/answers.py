"""What the bot answers and what it refuses, each group of figures in a module of its own.

Figures: see `tests.bench.safety.PROTOCOL`.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml import weights
from ml.encoder import Encoder
from tests.bench import safety
from tests.bench.tuned import CACHE


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    encoder = Encoder.load(weights.locate("", cache=CACHE), threads=1)
    figures = safety.measure(data, encoder, quick=quick)
    protocol = dict(safety.PROTOCOL)
    if quick:
        protocol["quick"] = "each sixth jailbreak and test message"
    return figures, protocol
