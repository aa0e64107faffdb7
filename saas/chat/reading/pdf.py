"""PDF, page by page: memory does not grow with the number of pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from saas.chat.reading import ruled
from saas.chat.reading.blocks import Block, ReadError, table
from saas.chat.reading.ruled import Line, Part, Ruled, Table

LARGER = 1.15  # than the page's usual letters: what a heading's letters are
LEVELS = (1.6, 1.3)  # from there on it is a heading of the first, of the second level
LONGEST_HEADING = 120
SHORT = 0.75  # of the page's longest line: there a paragraph may end
NUMBERED = re.compile(
    r"\s*(?:[•·▪◦‣●○*–-]\s|\(?\d{1,3}[.)、）]|[（(]?[一二三四五六七八九十]{1,3}[)）、.])"
)
HYPHEN = "\ufffe"  # what PDFium puts where a divided word was joined
ENDED = (".", "!", "?", ":", ";", "。", "！", "？", "：", "；", "…")


def read(path: Path) -> Iterator[Block]:
    """Raises `ReadError` for a file that is encrypted, damaged, or pictures of text only."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise ReadError("It is encrypted. Save it without a password.") from error
        raise ReadError("It is not a whole PDF. Export it again.") from error
    empty, before = True, list[Part]()
    try:
        with Ruled(path) as tables:
            for number in range(len(document)):
                parts = _parts(document, number, tables)
                for block in _blocks(ruled.resumed(parts, before), number + 1):
                    empty = False
                    yield block
                before = parts
    except pypdfium2.PdfiumError as error:
        raise ReadError(f"Page {number + 1} is damaged. Export it again.") from error
    finally:
        document.close()
    if empty:
        raise ReadError(
            "It holds no text, only pictures of it. Have its text recognised (OCR) and save it."
        )


def pages(path: Path) -> int | None:
    """How many pages a PDF has; None where it cannot be opened."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path) as document:
            return len(document)
    except pypdfium2.PdfiumError:
        return None


def _parts(document: Any, number: int, tables: Ruled) -> list[Part]:
    page = document[number]
    try:
        found = tables.parts(number) if ruled.is_likely(page) else []
        return found or [*_lines(page)]
    finally:
        page.close()


def _lines(page: Any) -> list[Line]:
    from pypdfium2 import raw

    text = page.get_textpage()
    try:
        whole, lines, start = text.get_text_range(), [], 0
        for part in whole.split("\n"):
            stripped = part.replace(HYPHEN, "").strip()
            if stripped:
                first = start + part.index(stripped[0])
                lines.append(Line(stripped, round(raw.FPDFText_GetFontSize(text.raw, first), 1)))
            start += len(part) + 1
        return lines
    finally:
        text.close()


def _blocks(parts: list[Part], page: int) -> Iterator[Block]:
    lines = [part for part in parts if isinstance(part, Line)]
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    usual = next((size for size, _ in sizes.most_common(1)), 0.0) or 1.0
    longest = max((len(line.text) for line in lines), default=0)
    paragraph: list[str] = []
    for part in parts:
        if isinstance(part, Table):
            if paragraph:
                yield Block(_joined(paragraph), page=page)
                paragraph = []
            yield Block(_table(part), "table", page=page)
            continue
        level = _level(part, usual)
        begins = level or NUMBERED.match(part.text) or _ended(paragraph, longest)
        if begins and paragraph:
            yield Block(_joined(paragraph), page=page)
            paragraph = []
        if level:
            yield Block(part.text, "heading", level, page)
        else:
            paragraph.append(part.text)
    if paragraph:
        yield Block(_joined(paragraph), page=page)


def _table(found: Table) -> str:
    return table([[_joined(cell) for cell in row] for row in found.rows])


def _level(line: Line, usual: float) -> int:
    """0 where a line is no heading."""
    share = line.size / usual
    if share < LARGER or len(line.text) > LONGEST_HEADING:
        return 0
    return next((level for level, least in enumerate(LEVELS, 1) if share >= least), 3)


def _ended(paragraph: list[str], longest: int) -> bool:
    return (
        bool(paragraph) and paragraph[-1].endswith(ENDED) and len(paragraph[-1]) < SHORT * longest
    )


def _joined(lines: list[str]) -> str:
    """The lines of a paragraph as one: Chinese without spaces between, divided words put together."""
    text = lines[0]
    for line in lines[1:]:
        if text.endswith("-") and text[-2:-1].isalpha() and line[0].islower():
            text = text[:-1] + line
        elif ord(text[-1]) > 0x2E80 and ord(line[0]) > 0x2E80:
            text += line
        else:
            text += f" {line}"
    return text
