"""How much each part of a model counts is told by texts that no part was fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from ml.calibration import HeldOut, Unknown, instant_share, settle

rng = np.random.default_rng(0)
TRUTH = rng.integers(0, 4, 300)
SURE = 5 * np.eye(4, dtype=np.float32)[TRUTH] + rng.normal(size=(300, 4)).astype(np.float32)
NOISE = [3 * rng.normal(size=(300, 4)).astype(np.float32) for _ in range(2)]
SIGNS = rng.normal(size=(300, 1)).astype(np.float32)


@pytest.mark.parametrize(("with_errors", "counts"), [(False, False), (True, True)])
def test_what_helps_with_typing_errors_only_counts_where_these_are_asked_for(
    with_errors: bool, counts: bool
) -> None:
    """The encoder knows the texts as they are, the other part those with typing errors."""
    clean, mistyped = (SURE, NOISE[0]), (NOISE[1], SURE)
    readings = [clean, mistyped] if with_errors else [clean]
    share = instant_share([ours for ours, _ in readings], [other for _, other in readings], TRUTH)
    found = settle(
        HeldOut(clean[0], SIGNS, clean[1]),
        Unknown(None, None),
        TRUTH,
        mistyped=[HeldOut(mistyped[0], SIGNS, mistyped[1])] if with_errors else [],
        gamma=1.0,
        c=1.0,
        sizes={"examples": 300.0, "classes": 4.0},
    )
    assert (share > 0, found.spelling > 0) == (counts, counts)
