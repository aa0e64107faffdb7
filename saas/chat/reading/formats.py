"""A file of any known format as blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from saas import encodings
from saas.chat.reading import markup, office, pdf
from saas.chat.reading.blocks import Block, ReadError

LONGEST = 20 * 1024**2  # bytes of a page of markup: it is read as a whole
PART = 64 * 1024  # characters of plain text that are looked at together


def read(path: Path, name: str) -> Iterator[Block]:
    """The blocks of a file, told by its name's ending. Raises `ReadError` wherever it breaks off."""
    reader = FORMATS.get(PurePath(name.lower()).suffix)
    if reader is None:
        known = ", ".join(sorted(FORMATS))
        raise ReadError(f"It is of no known format. Send one of {known}.")
    if not path.stat().st_size:
        raise ReadError("It is empty.")
    yield from reader(path)


def pages(path: Path, name: str) -> int | None:
    """How many pages there are to read, where that is known beforehand."""
    count = {".pdf": pdf.pages, ".pptx": office.slides}.get(PurePath(name.lower()).suffix)
    return count(path) if count else None


def _html(path: Path) -> Iterator[Block]:
    return markup.read_html(_whole(path))


def _markdown(path: Path) -> Iterator[Block]:
    return markup.read_markdown(_whole(path))


def _plain(path: Path) -> Iterator[Block]:
    """Paragraphs, which empty lines divide; of a text without any, a part at a time."""
    with path.open(encoding=_encoding(path), newline=None) as file:
        left = ""
        while part := _decoded(file.read, PART):
            *paragraphs, left = (left + part).split("\n\n")
            if len(left) > PART:
                paragraphs, left = [*paragraphs, left], ""
            yield from (Block(text.strip()) for text in paragraphs if text.strip())
        if left.strip():
            yield Block(left.strip())


def _whole(path: Path) -> str:
    if path.stat().st_size > LONGEST:
        raise ReadError(f"It is larger than {LONGEST:,} bytes. Divide it, one file for each part.")
    with path.open(encoding=_encoding(path), newline=None) as file:
        return _decoded(file.read, -1)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        try:
            return encodings.encoding_of(file, "The text")
        except encodings.FileError as error:
            raise ReadError(str(error)) from error


def _decoded(read: Callable[[int], str], size: int) -> str:
    try:
        return read(size).replace("\0", "")
    except UnicodeError as error:
        raise ReadError("Its letters cannot be read. Save it as UTF-8.") from error


FORMATS: dict[str, Callable[[Path], Iterator[Block]]] = {
    ".pdf": pdf.read,
    ".docx": office.read_word,
    ".xlsx": office.read_excel,
    ".pptx": office.read_powerpoint,
    ".html": _html,
    ".htm": _html,
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _plain,
}
