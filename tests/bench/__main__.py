"""Run one benchmark: a table for people, and as the last line one JSON object."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

# Name and module; a module has run(data, quick=…, running=…) -> Result and figures in its docstring.
BENCHMARKS = {
    name: f"tests.bench.{name}"
    for name in (
        "answers",
        "followups",
        "inbox",
        "intent",
        "main_job",
        "recommend",
        "retrieval",
        "widget",
    )
}
WITHOUT_DATA = {"widget"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHMARKS))
    parser.add_argument("--data", type=Path, help="folder with the data sets")
    parser.add_argument("--quick", action="store_true", help="a smaller form of the same")
    parser.add_argument("--list", action="store_true", help="name all benchmarks")
    options = parser.parse_args()
    if options.list or not options.name:
        print("\n".join(sorted(BENCHMARKS)))
        return 0
    needs_data = options.name not in WITHOUT_DATA
    if needs_data and (options.data is None or not options.data.is_dir()):
        print("Name the folder with the data sets: --data DIR", file=sys.stderr)
        return 2
    started = time.perf_counter()
    with ExitStack() as running:
        figures, protocol = import_module(BENCHMARKS[options.name]).run(
            options.data, quick=options.quick, running=running
        )
    report(options.name, figures, protocol, time.perf_counter() - started)
    return 0


def report(name: str, figures: dict[str, Any], protocol: dict[str, Any], seconds: float) -> None:
    width = max(map(len, figures))
    print(f"\n{name}")
    for figure, value in figures.items():
        shown = "not measured" if value is None else f"{value:.4f}"
        print(f"  {figure:<{width}}  {shown:>12}  {protocol.get(figure, '')}")
    document = {
        "bench": name,
        "figures": {key: None if v is None else round(v, 5) for key, v in figures.items()},
        "protocol": protocol,
        "machine": machine(),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(document, ensure_ascii=False), flush=True)


def machine() -> dict[str, Any]:
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
