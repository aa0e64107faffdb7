"""Going on from a tuned model: what is new is learned, what is old is replayed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.head import turns
from ml.types import Example

REPLAYED = 2.0  # old examples for a new one
LEAST = 10  # of each old intent, where there are as many


def replay(old: Sequence[Example], new: Sequence[Example], *, seed: int = 0) -> list[Example]:
    """The new examples, and as many of the old as keep old intents from fading.

    Rehearsal (Robins 1995) with a sample that takes from every intent in turn (as the exemplars of
    iCaRL, Rebuffi et al. 2017, arXiv:1611.07725): at least 10 of each, and twice as many in all as
    there are new ones. Few old examples are all replayed.
    """
    if not old:
        return list(new)
    order = np.random.default_rng(seed).permutation(len(old))
    _, classes = np.unique([old[row].label for row in order], return_inverse=True)
    places = np.asarray(turns(classes))
    count = max(int(REPLAYED * len(new)), int((places < LEAST).sum()))
    chosen = order[np.argsort(places, kind="stable")][:count]
    return [*(old[row] for row in np.sort(chosen)), *new]
