"""Each customer's events in their order, as a sequence model reads them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ml.recommend.interactions import Interactions

GAPS = 16  # classes of a time between two events, from less than a minute to years
MINUTE = 1 / 1440  # in days


@dataclass(frozen=True, slots=True)
class Sequences:
    """Events as columns, a customer's ones side by side and the oldest first.

    `starts` is int64[customers + 1], where each customer's events begin.
    """

    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    days: NDArray[np.float64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        order = np.lexsort((np.arange(len(interactions.days)), interactions.days))
        order = order[np.argsort(interactions.customers[order], kind="stable")]
        counts = np.bincount(interactions.customers, minlength=interactions.customer_count)
        return cls(
            interactions.items[order].astype(np.int64),
            interactions.kinds[order].astype(np.int64),
            interactions.days[order],
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )

    def of_customer(self, customer: int, longest: int) -> slice:
        """Where the newest `longest` events of a customer are."""
        end = int(self.starts[customer + 1])
        return slice(max(int(self.starts[customer]), end - longest), end)

    def batches(
        self, *, longest: int, tokens: int, random: np.random.Generator
    ) -> Iterator[list[slice]]:
        """All customers with two events or more, once, in batches of about as many events.

        Those of about the same length go together, so that little of a batch is padding.
        """
        lengths = np.minimum(np.diff(self.starts), longest)
        customers = random.permutation(np.flatnonzero(lengths >= 2))
        customers = customers[np.argsort(lengths[customers], kind="stable")]
        batches, batch = [], []
        for customer in customers:
            batch.append(self.of_customer(int(customer), longest))
            if len(batch) * lengths[customer] >= tokens:
                batches.append(batch)
                batch = []
        if batch:
            batches.append(batch)
        for place in random.permutation(len(batches)):
            yield batches[place]


def gap_classes(days: NDArray[np.float64]) -> NDArray[np.int64]:
    """The classes of times between events, in days: each twice to four times the one before."""
    minutes = np.maximum(days, 0) / MINUTE
    return np.minimum(np.log2(1 + minutes) * 0.75, GAPS - 1).astype(np.int64)
