"""Learning on: what is new is taught together with a replay of what is old, and gives way to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.head import turns
from ml.types import Example, Vectors

REPLAYED = 200  # of each old intent, where there are as many
MARGIN = 1.0  # in logits, by which an example of an old intent is to be told from a newer one


def replay(old: Sequence[Example], new: Sequence[Example], *, seed: int = 0) -> list[Example]:
    """The new examples, and as many of the old as keep old intents from fading.

    Rehearsal (Robins 1995): up to 200 of each old intent, as exemplars are kept by class in iCaRL
    (Rebuffi et al. 2017, arXiv:1611.07725). They are to be learned from the shared encoder on:
    going on from an earlier adapter, even a shrunk one, was measured to forget more, as warm starts
    generalise worse (Ash and Adams 2020, arXiv:1910.08475).
    """
    if not old:
        return list(new)
    order = np.random.default_rng(seed).permutation(len(old))
    _, classes = np.unique([old[row].label for row in order], return_inverse=True)
    chosen = order[np.asarray(turns(classes)) < REPLAYED]
    return [*(old[row] for row in np.sort(chosen)), *new]


def margins(rounds: Sequence[int]) -> Vectors:
    """What each intent (column) is given ahead, in logits, where an example of another (row) is learned.

    float32[intents, intents] of the round in which each intent came. A newer intent takes texts of
    older ones that are hardly nearer to it, and customers lose answers that they used to get. So an
    old intent's example has to be nearer to its own by a margin (of labels, as in Cao et al. 2019,
    arXiv:1906.07413; here of ages), which a new intent's example has not.
    """
    ages = np.asarray(rounds)
    return (MARGIN * (ages[None, :] > ages[:, None])).astype(np.float32)
