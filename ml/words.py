"""The tokenizer's pieces of a text, put together to words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LETTERS = re.compile(r"[^\W_]")
# Scripts that leave no space between words: their pieces stay as they are.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a piece of Chinese, at `start` to `end` of the text.

    `weight` is what it added to the intent's score, in logits; below zero it spoke against it.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A token's id, and its place in the text; `end` is 0 for a token that is not of the text."""

    id: int
    start: int
    end: int


def merge(text: str, pieces: Sequence[Piece], gains: Sequence[float]) -> Iterator[Token]:
    """The words of a text with what their pieces gained, added up."""
    start = end = 0
    weight = 0.0
    for piece, gain in zip(pieces, gains, strict=True):
        if not piece.end:
            continue
        if end and not _joined(text, end, piece.start):
            yield Token(text[start:end], start, end, weight)
            end = 0
        if not end:
            start, weight = piece.start, 0.0
        end = max(end, piece.end)
        weight += gain
    if end:
        yield Token(text[start:end], start, end, weight)


def _joined(text: str, end: int, start: int) -> bool:
    """Whether a piece that starts there belongs to the word that ended there."""
    if start < end:
        return True  # a letter, or an emoji, of several pieces
    around = text[end - 1 : end], text[start : start + 1]
    return start == end and all(LETTERS.match(c) and not UNSPACED.match(c) for c in around)
