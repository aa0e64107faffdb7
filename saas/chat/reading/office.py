"""Word, Excel and PowerPoint."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from saas.chat.reading import markup
from saas.chat.reading.blocks import Block, ReadError, table

UNPACKED = 500 * 1024**2  # bytes; more is a bomb, or nothing that a customer asks about
SWOLLEN = 200  # times its packed size: no honest office file is
ROWS = 100  # of a sheet in one block
WIDEST = 50  # columns
SLIDE = re.compile(r"ppt/slides/slide\d+\.xml")
ENCRYPTED = b"\xd0\xcf\x11\xe0"  # how an encrypted file, and one of before 2007, begins


def read_word(path: Path) -> Iterator[Block]:
    import mammoth

    _check(path)
    with path.open("rb") as file, _broken():
        # Pictures are left out: they would be put into the text as numbers.
        html = mammoth.convert_to_html(file, convert_image=mammoth.images.img_element(lambda _: {}))
    yield from markup.read_html(html.value)


def read_excel(path: Path) -> Iterator[Block]:
    """Each sheet under its name; its rows by the hundred, each part with the header."""
    import openpyxl

    _check(path)
    with _broken():
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                yield from _sheet(sheet)
        finally:
            book.close()


def read_powerpoint(path: Path) -> Iterator[Block]:
    """Slide by slide, with tables and the speaker's notes."""
    import pptx

    _check(path)
    with _broken():
        for number, slide in enumerate(pptx.Presentation(str(path)).slides, start=1):
            yield from _slide(slide, number)


def slides(path: Path) -> int | None:
    """How many slides a presentation has; None where it cannot be opened."""
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(path) as archive:
        return sum(bool(SLIDE.fullmatch(name)) for name in archive.namelist())
    return None


def _sheet(sheet: Any) -> Iterator[Block]:
    header: list[str] = []
    rows: list[list[str]] = []
    for found in sheet.iter_rows(values_only=True, max_col=WIDEST):
        cells = ["" if value is None else str(value) for value in found]
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        if not header:
            yield Block(sheet.title, "heading", 1)
            header = cells
            continue
        rows.append(cells)
        if len(rows) == ROWS:
            yield Block(table([header, *rows]), "table")
            rows = []
    if rows:
        yield Block(table([header, *rows]), "table")
    elif header:
        yield Block(" ".join(header))


def _slide(slide: Any, number: int) -> Iterator[Block]:
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        yield Block(title.text_frame.text.strip(), "heading", 1, number)
    for shape in slide.shapes:
        if shape is title or (title is not None and shape.shape_id == title.shape_id):
            continue
        if shape.has_text_frame and shape.text_frame.text.strip():
            yield Block(shape.text_frame.text.strip(), page=number)
        if getattr(shape, "has_table", False):
            rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
            yield Block(table(rows), "table", page=number)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame.text.strip():
        yield Block(slide.notes_slide.notes_text_frame.text.strip(), page=number)


def _check(path: Path) -> None:
    """Refuses what would unpack to far more than it is before a byte of it is unpacked."""
    with path.open("rb") as file:
        if file.read(4) == ENCRYPTED:
            raise ReadError(
                "It is encrypted, or of a format older than 2007. Save it anew without a password."
            )
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise ReadError("It is cut off, or not of this format. Save it again.") from error
    unpacked = sum(part.file_size for part in parts)
    if unpacked > UNPACKED or unpacked > SWOLLEN * max(1, path.stat().st_size):
        raise ReadError(f"Unpacked it would have {unpacked:,} bytes, which no document has.")


@contextmanager
def _broken() -> Iterator[None]:
    """What the libraries raise for a file that is of its format by its name only."""
    try:
        yield
    except ReadError:
        raise
    except Exception as error:  # each of them raises what its parser does: dozens of kinds
        raise ReadError("It is damaged. Open it in its program and save it again.") from error
