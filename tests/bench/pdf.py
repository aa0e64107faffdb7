"""How fast a PDF of many pages becomes passages, and whether memory grows with its length."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.tuned import Bench, Clock

PAGES, SHORT = 1_000, 100
TABLED = 4  # every fourth page has a ruled table
SENTENCE = "The appliance must stand on level ground and be connected to an earthed socket. "
READ = """
import json, sys
from pathlib import Path
from saas.chat.reading import pdf
from saas.chat.reading.chunks import cut

found = [(chunk.heading, chunk.text) for chunk in cut(pdf.read(Path(sys.argv[1])))][: int(sys.argv[2])]
# Not getrusage: its peak is that of the process that started this one.
(peak,) = (
    int(line.split()[1]) * 1024
    for line in Path("/proc/self/status").read_text().splitlines()
    if line.startswith("VmHWM:")
)
print(json.dumps({"peak": peak, "passages": found}))
"""

PROTOCOL = {
    "pdf_pages_per_minute": "a manual of 1,000 pages, a ruled table on every fourth, read into passages",
    "pdf_peak_bytes": "of the process that reads it",
    "pdf_peak_bytes_short": "the same of 100 pages: what does not grow is the same",
    "pdf_searchable_pages_per_minute": "reading and vectors of the first 100 pages",
}


def figures(bench: Bench, *, quick: bool) -> dict[str, float]:
    """Of the reader in a process of its own, and of the vectors by the encoder given."""
    from ml import sentences
    from ml.retrieval import read

    with TemporaryDirectory() as folder:
        short, long = Path(folder, "short.pdf"), Path(folder, "long.pdf")
        _write(short, SHORT)
        _write(long, SHORT * 3 if quick else PAGES)
        found, seconds = _read(long, 0)
        few, seconds_short = _read(short, 10**9)
    passages = few["passages"]
    started = time.perf_counter()
    headings, texts = zip(*passages, strict=True)
    spans = [sentences.split(text) for text in texts]
    read(headings, texts, spans, bench.encoder, progress=Clock())
    vectors = time.perf_counter() - started
    return {
        "pdf_pages_per_minute": 60 * (SHORT * 3 if quick else PAGES) / seconds,
        "pdf_peak_bytes": found["peak"],
        "pdf_peak_bytes_short": few["peak"],
        "pdf_searchable_pages_per_minute": 60 * SHORT / (seconds_short + vectors),
    }


def _read(path: Path, kept: int) -> tuple[dict[str, Any], float]:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(kept)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout), time.perf_counter() - started


def _write(path: Path, pages: int) -> None:
    from fpdf import FPDF

    made = FPDF()
    made.set_auto_page_break(False)
    for number in range(pages):
        made.add_page()
        made.set_font("Helvetica", size=18)
        made.multi_cell(0, 9, f"Chapter {number}: care", new_x="LMARGIN", new_y="NEXT")
        made.set_font("Helvetica", size=10)
        for part in range(5):
            text = f"{number}.{part} {SENTENCE * 4}"
            made.multi_cell(0, 5, text, new_x="LMARGIN", new_y="NEXT")
        if number % TABLED == 0:
            with made.table() as table:
                table.row(["Model", "Power", "Price", "Use"])
                for row in range(12):
                    table.row(
                        [f"Lamp {number}-{row}", f"{row * 10} W", f"{row * 7} euros", "indoor"]
                    )
    made.output(str(path))
