"""What the bot answers and what it refuses, each group of figures in a module of its own.

Figures: see `PROTOCOL` of `tests.bench.safety`, `citations`, `pdf` and `streaming`.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench import citations, pdf, safety, stack, streaming
from tests.bench.tuned import Bench


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    bench = Bench("", threads=1)
    figures = safety.measure(data, bench.encoder, quick=quick)
    figures |= pdf.figures(bench, quick=quick)
    site = stack.start(running)
    figures |= citations.measure(site)
    figures |= streaming.measure(site, running, quick=quick)
    protocol = safety.PROTOCOL | citations.PROTOCOL | pdf.PROTOCOL | streaming.PROTOCOL
    if quick:
        protocol["quick"] = "each sixth jailbreak and test message"
    return figures, protocol
