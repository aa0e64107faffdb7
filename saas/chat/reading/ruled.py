"""Tables of a PDF that have ruled lines: a row keeps its columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

# Strokes of a page that may be a table's. Fewer rule none, more draw a picture; and it is only for
# such pages that a page is read once more, which takes ten times as long.
FEWEST, MOST = 8, 10_000
DEPTH = 3  # of drawings within drawings


@dataclass(frozen=True, slots=True)
class Line:
    """A line of print and the height of its letters, in points."""

    text: str
    size: float


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, the first of them its header; each cell's lines as they are printed."""

    rows: list[list[list[str]]]


Part = Line | Table


class Ruled:
    """The pages of one PDF, read with their tables. Holds one page at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pdf: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pdf is not None:
            self._pdf.close()

    def parts(self, number: int) -> list[Part]:
        """Lines and tables of a page from the top down; nothing where it has no table after all."""
        import pdfplumber

        if self._pdf is None:
            self._pdf = pdfplumber.open(self._path)
        page = self._pdf.pages[number]
        try:
            return list(_parts(page))
        finally:
            page.close()


def is_likely(page: Any) -> bool:
    """Whether a page of PDFium has about as many strokes as a table."""
    from pypdfium2 import raw

    strokes = 0
    for path in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=DEPTH):
        strokes += max(0, raw.FPDFPath_CountSegments(path))
        if strokes > MOST:
            return False
    return strokes >= FEWEST


def _parts(page: Any) -> Iterator[Part]:
    tables = []
    for found in page.find_tables():
        rows = [[(cell or "").split("\n") for cell in row] for row in found.extract()]
        rows = [row for row in rows if any(any(cell) for cell in row)]
        if rows and len(rows[0]) > 1:
            tables.append((found.bbox, Table(rows)))
    if not tables:
        return
    tables.sort(key=lambda pair: pair[0][1])
    for box, _ in tables:
        page = page.outside_bbox(box)
    for line in page.extract_text_lines(return_chars=True):
        while tables and tables[0][0][1] < line["top"]:
            yield tables.pop(0)[1]
        yield Line(line["text"], round(line["chars"][0]["size"], 1))
    yield from (found for _, found in tables)


def resumed(parts: list[Part], before: list[Part]) -> list[Part]:
    """A page whose first table goes on from the page before, with that one's header."""
    above = [part for part in before[-2:] if isinstance(part, Table)]  # a foot may stand below it
    head = parts[:1] == before[:1] and bool(parts) and not isinstance(parts[0], Table)
    first = parts[head] if len(parts) > head else None
    if not above or not isinstance(first, Table):
        return parts
    header = above[-1].rows[0]
    if len(header) != len(first.rows[0]) or header == first.rows[0]:
        return parts
    return [*parts[:head], Table([header, *first.rows]), *parts[head + 1 :]]
