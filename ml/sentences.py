"""Where the sentences of a text begin and end."""

import re
from dataclasses import dataclass

from ml.language import language_of

TABLE = re.compile(r"(?:^\|.*(?:\n|$))+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, from a character on up to another one."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


def split(text: str) -> list[Span]:
    """The sentences in their order, without the space around them; a Markdown table is one of them."""
    found: list[Span] = []
    at = 0
    for table in TABLE.finditer(text):
        found += _sentences(text, at, table.start())
        found.append(_stripped(text, table.start(), table.end()))
        at = table.end()
    return [*found, *_sentences(text, at, len(text))]


def _sentences(text: str, start: int, end: int) -> list[Span]:
    import sentencex

    found = []
    for part in sentencex.segment(language_of(text), text[start:end]):
        if part.strip():
            found.append(_stripped(text, start, start + len(part)))
        start += len(part)
    return found


def _stripped(text: str, start: int, end: int) -> Span:
    part = text[start:end]
    return Span(start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip()))
