"""Sentences about other things: what a business's customers say that is not about the business."""

from pathlib import Path

FOLDER = Path(__file__).parent


def sentences() -> list[str]:
    """Small talk, and what people ask businesses of other trades; as much Chinese as English.

    Of any trade there is so little that a business of that trade is not kept from knowing its own.
    """
    return small_talk() + _lines("trades.txt")


def small_talk() -> list[str]:
    """What no business at all is asked."""
    return _lines("smalltalk.txt")


def _lines(name: str) -> list[str]:
    return (FOLDER / name).read_text(encoding="utf-8").splitlines()
