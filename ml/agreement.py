"""How far several annotators agree, beyond what chance alone would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for names: 1 is full agreement, 0 that of chance (Krippendorff 2011).

    Each unit holds the labels that a text was given, by any number of annotators; those with one
    label only are left out. None where nothing can be compared.
    """
    paired = [unit for unit in units if len(unit) > 1]
    total: Counter[str] = Counter(label for unit in paired for label in unit)
    size = sum(total.values())
    if not size:
        return None
    observed = sum(_unlike(Counter(unit)) / (len(unit) - 1) for unit in paired) / size
    expected = _unlike(total) / (size * (size - 1))
    return 1.0 if not expected else 1.0 - observed / expected


def _unlike(counts: Counter[str]) -> int:
    """Ordered pairs of different labels."""
    size = sum(counts.values())
    return size * size - sum(count * count for count in counts.values())
