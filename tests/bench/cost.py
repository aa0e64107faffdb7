"""What training costs: the whole command in a process of its own, imports and encoding included."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """CPU seconds of all threads, and the most memory that was resident at once."""

    cpu_s: float
    peak_bytes: int


def measure(file: Path, unlabelled: list[str], *, encoder: str, changes: dict[str, Any]) -> Cost:
    """`python -m ml tune` on a CSV of examples, with texts without labels beside it; a thread."""
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder) / "unlabelled.txt"
        texts.write_text("\n".join(unlabelled), encoding="utf-8")
        config = Path(folder) / "config.json"
        config.write_text(json.dumps({"threads": 1} | changes))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "ml", "--encoder", encoder, "tune", "intent"]
        command += [str(file), f"{folder}/model"]
        command += ["--unlabelled", str(texts), "--config", str(config)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The most of any child so far: the benchmark starts no other that is as large.
    return Cost(spent, after.ru_maxrss * 1024)
