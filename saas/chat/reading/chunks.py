"""Blocks cut and put together to passages that each say one thing and can be found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ml.language import HAN
from saas.chat.reading.blocks import Block

SIZE = 180.0  # of a passage, in units of about one token: see `_units`
LEAST = 40.0  # what is shorter waits for what follows under the same heading
HEADINGS = 300  # characters of a passage's heading
SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")
LETTERS = 4  # of a language with spaces in one token, about


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: its text, the headings above it from the highest down, and its first page."""

    text: str
    heading: str
    page: int | None


def cut(blocks: Iterable[Block]) -> Iterator[Chunk]:
    """Passages of about `SIZE`; none goes on under another heading, and each part of a table has its header.

    Only one passage is held at a time, however long the document is.
    """
    above: list[tuple[int, str]] = []
    held: list[str] = []
    page: int | None = None
    for block in blocks:
        if block.kind == "heading":
            yield from _closed(held, above, page)
            held = []
            above = [(level, text) for level, text in above if level < block.level]
            above.append((block.level, " ".join(block.text.split())))
            continue
        parts = _rows(block.text) if block.kind == "table" else _sentences(block.text)
        for part in parts:
            if held and sum(map(_units, held)) + _units(part) > SIZE:
                yield from _closed(held, above, page)
                held = []
            if not held:
                page = block.page
            held.append(part)
        if sum(map(_units, held)) > SIZE - LEAST:
            yield from _closed(held, above, page)
            held = []
    yield from _closed(held, above, page)


def _closed(held: list[str], above: list[tuple[int, str]], page: int | None) -> Iterator[Chunk]:
    if held:
        heading = " > ".join(text for _, text in above)
        yield Chunk("\n".join(held), heading[:HEADINGS], page)


def _units(text: str) -> float:
    """About the tokens of a text: a Chinese character each, of other letters four together."""
    chinese = len(HAN.findall(text))
    return chinese + (len(text) - chinese) / LETTERS


def _sentences(text: str) -> Iterator[str]:
    """A whole paragraph where it is short enough, else as many of its sentences as are."""
    if _units(text) <= SIZE:
        yield text
        return
    held = ""
    for sentence in SENTENCE.split(text):
        for piece in _pieces(sentence.strip()):
            joined = f"{held} {piece}" if held and not HAN.match(held[-1]) else held + piece
            if held and _units(joined) > SIZE:
                yield held
                joined = piece
            held = joined
    if held:
        yield held


def _pieces(sentence: str) -> Iterator[str]:
    """What has no end in sight is cut where it gets too long."""
    length = int(SIZE) if HAN.search(sentence) else int(SIZE) * LETTERS
    yield from (sentence[at : at + length] for at in range(0, len(sentence), length))


def _rows(table: str) -> Iterator[str]:
    """A table in parts of as many rows as fit, each below the header."""
    lines = table.split("\n")
    header, rows = "\n".join(lines[:2]), lines[2:]
    part: list[str] = []
    for row in rows:
        if part and _units(header) + sum(map(_units, part)) + _units(row) > SIZE:
            yield "\n".join([header, *part])
            part = []
        part.append(row)
    yield "\n".join([header, *part])
