"""What the bot answers and what it refuses, each group of figures in a module of its own.

Figures: see `PROTOCOL` of `tests.bench.safety` and `tests.bench.citations`, and `tests.bench.streaming`.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml import weights
from ml.encoder import Encoder
from tests.bench import citations, safety, stack, streaming
from tests.bench.tuned import CACHE


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    encoder = Encoder.load(weights.locate("", cache=CACHE), threads=1)
    figures = safety.measure(data, encoder, quick=quick)
    site = stack.start(running)
    figures |= citations.measure(site)
    streamed, protocol = streaming.measure(site, running, quick=quick)
    protocol |= safety.PROTOCOL | citations.PROTOCOL
    if quick:
        protocol["quick"] = "each sixth jailbreak and test message"
    return figures | streamed, protocol
