"""Sentences about other things: what a business's customers say that is not about the business."""

from pathlib import Path


def sentences() -> list[str]:
    """Talk in English and Chinese, half and half, that no shop or bank is asked to answer."""
    return Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
