"""What can be said of shares, means and their differences, and when an experiment may stop.

Pure arithmetic: no table, no tenant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

ALPHA = 0.05
Z = 1.96  # deviations of a 95 % interval
POWER = 0.84  # deviations that 80 % power asks for
# Before that, a mean is not normal enough for the rule below, and a lucky first hour not news.
FEWEST_CUSTOMERS = 100
FEWEST_HITS = 40
# The rule stops earliest where each of two arms has about this many customers.
TUNED_FOR = 2_500
MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one value a customer: how many, how many of them not zero, their sum and that of squares."""

    count: int = 0
    hits: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.count + other.count,
            self.hits + other.hits,
            self.total + other.total,
            self.squares + other.squares,
        )

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def variance(self) -> float:
        """Unbiased; of at least two."""
        return max(0.0, self.squares - self.total**2 / self.count) / (self.count - 1)


def share(hits: int, count: int) -> Interval | None:
    """A share and its 95 % interval (Wilson 1927), which holds for few and for rare hits, too."""
    if not count:
        return None
    found, square = hits / count, Z**2
    middle = (hits + square / 2) / (count + square)
    half = Z * sqrt(found * (1 - found) * count + square / 4) / (count + square)
    return Interval(found, max(0.0, middle - half), min(1.0, middle + half))


def mean(sums: Sums) -> Interval | None:
    """A mean and its 95 % interval by the normal distribution; None of fewer than two values."""
    if sums.count < 2:
        return None
    half = Z * sqrt(sums.variance / sums.count)
    return Interval(sums.mean, sums.mean - half, sums.mean + half)


def difference(control: Sums, other: Sums, *, alpha: float = ALPHA) -> Interval | None:
    """How much more the mean of `other` is, with an interval that holds at all looks together.

    With probability 1 - alpha the truth lies in it at every look from the first to the last, so who
    stops at the first one that leaves out zero is wrong with probability alpha at most, however
    often they look. It is the normal mixture of Robbins, as in the sequential tests of Johari, Koomen,
    Pekelis and Walsh (2017) and Howard, Ramdas, McAuliffe and Sekhon (2021), with variances as
    estimated (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, 2021): asymptotic, therefore None
    before there are FEWEST_CUSTOMERS in each arm and FEWEST_HITS together.
    """
    if (
        min(control.count, other.count) < FEWEST_CUSTOMERS
        or control.hits + other.hits < FEWEST_HITS
    ):
        return None
    variance = _variance(control, other)
    half = sqrt(variance * _width(1 / (1 / control.count + 1 / other.count), alpha))
    found = other.mean - control.mean
    return Interval(found, found - half, found + half)


def _variance(control: Sums, other: Sums) -> float:
    """Of the difference of two means. A quiet arm is not believed to be quieter than both together."""
    together = control + other
    return sum(max(arm.variance, together.variance) / arm.count for arm in (control, other))


def _width(size: float, alpha: float) -> float:
    """The square of an interval's half width, in variances; 2 x `size` is an arm's customers."""
    rho = (-2 * log(alpha) + log(1 - 2 * log(alpha))) / (TUNED_FOR / 2)
    return (1 + 1 / (size * rho)) * (log(1 + size * rho) - 2 * log(alpha))


def needed(control: Sums, other: Sums, *, alpha: float = ALPHA) -> int | None:
    """How many customers each of two arms needs to tell a difference as large as the one seen.

    With 80 % power. None where none is seen, or where it takes more than MOST.
    """
    if min(control.count, other.count) < 2 or control.mean == other.mean:
        return None
    one = max((control + other).variance, control.variance, other.variance)
    low, high = FEWEST_CUSTOMERS, MOST
    while low < high:
        count = (low + high) // 2
        reach = (sqrt(_width(count / 2, alpha)) + POWER) * sqrt(2 * one / count)
        low, high = (low, count) if reach <= abs(other.mean - control.mean) else (count + 1, high)
    return None if low == MOST else low


def first_decided(looks: Iterable[Interval | None]) -> int | None:
    """The number of the first look whose interval leaves out zero: what is decided stays so."""
    return next(
        (number for number, look in enumerate(looks) if look and not look.low <= 0 <= look.high),
        None,
    )


def mismatch(counts: Sequence[int], shares: Sequence[float]) -> float:
    """The probability (chi-square) that arms of these shares come out at least as unlike them."""
    from scipy.special import chdtrc

    together = sum(counts)
    if not together:
        return 1.0
    off = sum(
        (count - share * together) ** 2 / (share * together)
        for count, share in zip(counts, shares, strict=True)
    )
    return float(chdtrc(len(counts) - 1, off))
