from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.errors import DataError
from ml.index import VectorIndex


def vectors(count: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(count=st.integers(1, 50), k=st.integers(1, 60), seed=st.integers(0, 99))
def test_it_finds_what_a_full_comparison_finds(count: int, k: int, seed: int):
    stored, asked = vectors(count, seed=seed), vectors(3, seed=seed + 100)
    found = VectorIndex.build([str(row) for row in range(count)], stored).search(asked, k)
    products = asked @ stored.T
    for hits, row in zip(found, products, strict=True):
        assert [hit.id for hit in hits] == [str(place) for place in np.argsort(-row)[:k]]
        assert [hit.score for hit in hits] == pytest.approx(
            np.sort(row)[::-1][:k], rel=1e-4, abs=1e-5
        )


def test_an_empty_index_has_no_hits():
    index = VectorIndex.build([], vectors(0))
    assert len(index) == 0
    assert index.search(vectors(2), 5) == [[], []]


def test_it_survives_a_save(tmp_path: Path):
    index = VectorIndex.build(["a", "退货"], vectors(2))
    index.save(tmp_path / "index")
    assert VectorIndex.load(tmp_path / "index").search(vectors(1), 2) == index.search(vectors(1), 2)


def test_a_large_index_is_a_graph_that_finds_nearly_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ml.index.FLAT_BELOW", 1_000)
    stored, asked = vectors(3_000), vectors(50, seed=1)
    found = VectorIndex.build([str(row) for row in range(3_000)], stored).search(asked, 10)
    best = np.argsort(-(asked @ stored.T), axis=1)[:, :10]
    same = [
        len({hit.id for hit in hits} & {str(place) for place in row})
        for hits, row in zip(found, best, strict=True)
    ]
    assert np.mean(same) > 9.5


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match="do not fit"):
        VectorIndex.build(["a"], vectors(2))
    with pytest.raises(DataError, match="finite"):
        VectorIndex.build(["a"], np.full((1, 8), np.nan, dtype=np.float32))
    with pytest.raises(DataError, match="d = 8"):
        VectorIndex.build(["a"], vectors(1)).search(np.zeros((1, 3), dtype=np.float32), 1)
