import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml import metrics


def test_known_values():
    assert metrics.accuracy(["a", "b", "c", "c"], ["a", "b", "c", "a"]) == 0.75
    assert metrics.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)
    assert metrics.auroc(np.array([2.0, 1.0]), np.array([0.0, 1.0])) == 0.875
    assert metrics.ndcg_at_k(["x", "a"], {"a"}, 10) == pytest.approx(1 / np.log2(3))


def test_calibration_error():
    right = np.array([True] * 8 + [False] * 2)
    assert metrics.ece(np.full(10, 0.8), right) == pytest.approx(0.0, abs=1e-9)
    assert metrics.ece(np.full(10, 0.95), right) == pytest.approx(0.15)


@given(st.lists(st.integers(0, 20), unique=True), st.sets(st.integers(0, 20)), st.integers(1, 12))
def test_ranking_measures_are_shares_and_best_first_is_best(ranked, relevant, k):
    names, wanted = [str(i) for i in ranked], {str(i) for i in relevant}
    assert 0 <= metrics.ndcg_at_k(names, wanted, k) <= 1
    best = sorted(names, key=lambda name: name not in wanted)
    assert metrics.ndcg_at_k(best, wanted, k) >= metrics.ndcg_at_k(names, wanted, k) - 1e-9
