"""What every kind of document is read as: blocks, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "text", "table"]


class ReadError(ValueError):
    """A document cannot be read; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a table.

    `level` is a heading's, from 1 for the highest. A table's text is Markdown, its first two lines
    are the header and the rule below it. `page` counts pages or slides from 1 where there are any.
    """

    text: str
    kind: Kind = "text"
    level: int = 0
    page: int | None = None


def table(rows: list[list[str]]) -> str:
    """Rows of cells, the first of them the header, as a Markdown table."""
    width = max(map(len, rows))
    lines = [_line(row + [""] * (width - len(row))) for row in rows]
    return "\n".join([lines[0], _line(["---"] * width), *lines[1:]])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "/") for cell in cells) + " |"
