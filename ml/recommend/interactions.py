"""Who did what with which item, and how much of it still counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.types import Event

DAY = 86_400.0
BOUGHT = frozenset({"purchase", "buy", "order"})

Matrix = Any  # scipy.sparse.csr_matrix, which has no types


@dataclass(frozen=True, slots=True)
class Interactions:
    """Events as columns. `days` is each one's time in days since the epoch, never after now."""

    customers: NDArray[np.intp]
    items: NDArray[np.intp]
    kinds: NDArray[np.intp]
    days: NDArray[np.float64]
    kind_names: tuple[str, ...]
    customer_count: int
    item_count: int
    now: float  # in days, too

    @classmethod
    def of(cls, events: Sequence[Event], places: Mapping[str, int], *, now: float) -> Self:
        """Events of items without a place are left out; one dated after `now` happens now."""
        known = [event for event in events if event.item in places]
        customers, rows = _number([event.customer for event in known])
        kinds, columns = _number([event.kind for event in known])
        return cls(
            customers=rows,
            items=np.array([places[event.item] for event in known], dtype=np.intp),
            kinds=columns,
            days=np.minimum([event.at / DAY for event in known], now / DAY),
            kind_names=kinds,
            customer_count=len(customers),
            item_count=len(places),
            now=now / DAY,
        )

    def split(self, day: float) -> tuple["Interactions", "Interactions"]:
        """Those before a day, as they would have looked on that day, and those from it on."""
        before = self.days < day
        return self._only(before, now=day), self._only(~before, now=self.now)

    def of_items(self, chosen: NDArray[np.intp]) -> "Interactions":
        """Those with some items alone, which get the places 0, 1, ... in the order given."""
        places = np.full(self.item_count, -1, dtype=np.intp)
        places[chosen] = np.arange(len(chosen))
        left = self._only(places[self.items] >= 0, now=self.now)
        return replace(left, items=places[left.items], item_count=len(chosen))

    def first_days(self) -> NDArray[np.float64]:
        """float64[items]: when each item was first met; now for one that never was."""
        days = np.full(self.item_count, self.now)
        np.minimum.at(days, self.items, self.days)
        return days

    def matrix(self, *, half_life: float, kind_weights: Mapping[str, float]) -> Matrix:
        """Sparse float32[customers, items]: log(1 + weight), the weight halved every so many days.

        The logarithm keeps a shop that orders the same thing daily from drowning all else.
        """
        from scipy.sparse import csr_matrix

        weights = np.array([kind_weights[name] for name in self.kind_names], dtype=np.float64)
        values = 0.5 ** ((self.now - self.days) / half_life)
        if len(weights):
            values *= weights[self.kinds]
        shape = (self.customer_count, self.item_count)
        matrix = csr_matrix((values.astype(np.float32), (self.customers, self.items)), shape)
        return matrix.log1p()

    def popularity(self, *, days: float) -> NDArray[np.float32]:
        """float32[items], 0..1: the logarithm of how often each was taken in the last days."""
        recent = self._target() & (self.now - self.days <= days)
        if not recent.any():
            recent = np.ones_like(recent)
        counts = np.log1p(np.bincount(self.items[recent], minlength=self.item_count))
        return np.asarray(counts / max(1.0, counts.max(initial=0)), dtype=np.float32)

    def taken(self) -> Matrix:
        """Sparse bool[customers, items]: who bought what, or, where nobody buys, did anything."""
        from scipy.sparse import csr_matrix

        rows = self._target()
        ones = np.ones(int(rows.sum()), dtype=bool)
        shape = (self.customer_count, self.item_count)
        return csr_matrix((ones, (self.customers[rows], self.items[rows])), shape)

    def _target(self) -> NDArray[np.bool_]:
        bought = [place for place, name in enumerate(self.kind_names) if name in BOUGHT]
        return np.isin(self.kinds, bought) if bought else np.ones(len(self.kinds), dtype=bool)

    def _only(self, rows: NDArray[np.bool_], *, now: float) -> "Interactions":
        return Interactions(
            self.customers[rows],
            self.items[rows],
            self.kinds[rows],
            self.days[rows],
            self.kind_names,
            self.customer_count,
            self.item_count,
            now,
        )


def _number(names: list[str]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The distinct names, and for each name its number."""
    numbers: dict[str, int] = {}
    rows = [numbers.setdefault(name, len(numbers)) for name in names]
    return tuple(numbers), np.array(rows, dtype=np.intp)
