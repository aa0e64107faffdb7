"""What of the items themselves a ranking looks at: category, brand, price."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.types import Item

NONE = -1


@dataclass(frozen=True, slots=True)
class Goods:
    """Columns of a catalog: int32 codes, `NONE` where it says nothing, and float32 logarithms of
    prices, NaN where there is none."""

    categories: NDArray[np.int32]
    brands: NDArray[np.int32]
    prices: NDArray[np.float32]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Self:
        prices = [np.nan if not item.price else item.price for item in items]
        return cls(
            _codes([item.category for item in items]),
            _codes([item.brand for item in items]),
            np.log(np.array(prices, dtype=np.float32)),
        )


def _codes(names: Sequence[str]) -> NDArray[np.int32]:
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(name, len(numbers)) if name else NONE for name in names]
    return np.array(codes, dtype=np.int32)


def affinity(
    codes: NDArray[np.int32],
    rows: NDArray[np.intp],
    taste: NDArray[np.intp],
    strengths: NDArray[np.float32],
) -> NDArray[np.float32]:
    """float32[rows], 0..1: the share of a history that lies in each row's class."""
    own = codes[taste]
    shares = np.zeros(int(own.max(initial=NONE)) + 2, dtype=np.float32)
    np.add.at(shares, own, strengths / max(float(strengths.sum()), 1e-9))
    shares[NONE] = 0  # the last place: items of no class, and of one that the history has not
    asked = codes[rows]
    return np.asarray(shares[np.where(asked < len(shares) - 1, asked, NONE)])


def price_distance(
    prices: NDArray[np.float32],
    rows: NDArray[np.intp],
    taste: NDArray[np.intp],
    strengths: NDArray[np.float32],
) -> NDArray[np.float32]:
    """float32[rows]: how far each price is from those of a history, as a factor's logarithm."""
    own = prices[taste]
    known = np.isfinite(own)
    if not known.any():
        return np.zeros(len(rows), dtype=np.float32)
    usual = np.average(own[known], weights=strengths[known])
    apart = np.abs(prices[rows] - usual)
    return np.where(np.isfinite(apart), apart, 0).astype(np.float32)
