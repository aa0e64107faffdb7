"""Sentences about other things: what a business's customers say that is not about the business."""

from pathlib import Path


def sentences() -> list[str]:
    """In English and Chinese, half and half: small talk, and what people ask businesses of all trades.

    Of any trade there is so little that a business of that trade is not kept from knowing its own.
    """
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
