import errno
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ml import artifact
from ml.errors import ArtifactError

ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.int64, np.uint8]), hnp.array_shapes(min_side=0, max_dims=3)
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    tensors = {"weights": np.arange(100, dtype=np.float32)}
    artifact.save(folder, kind="intent", tensors=tensors, meta={"labels": ["退货"]})
    return folder


@settings(deadline=None, max_examples=30)
@given(
    tensors=st.dictionaries(st.text("abc.", min_size=1), ARRAYS, max_size=3),
    meta=st.dictionaries(st.text(), st.text() | st.integers(-9, 9) | st.none(), max_size=3),
)
def test_what_is_saved_is_loaded(tmp_path_factory, tensors, meta):
    folder = tmp_path_factory.mktemp("a") / "model"
    artifact.save(folder, kind="x", tensors=tensors, meta=meta)
    loaded, loaded_meta = artifact.load(folder, kind="x")
    assert loaded_meta == meta
    assert loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(loaded[name], tensor)
        assert loaded[name].dtype == tensor.dtype


@pytest.mark.parametrize("name", [artifact.TENSORS, artifact.META])
def test_a_changed_byte_is_found(saved: Path, name: str):
    data = bytearray((saved / name).read_bytes())
    data[-2] ^= 1
    (saved / name).write_bytes(data)
    with pytest.raises(ArtifactError, match="does not match its checksum"):
        artifact.load(saved, kind="intent")


def test_a_file_cut_short_is_found(saved: Path):
    path = saved / artifact.TENSORS
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match="checksum"):
        artifact.load(saved, kind="intent")


def test_a_missing_file_is_named(saved: Path):
    (saved / artifact.META).unlink()
    with pytest.raises(ArtifactError, match=r"meta\.json"):
        artifact.load(saved, kind="intent")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"kind": "intent", "format": 1, "files": {}}'])
def test_a_damaged_manifest_is_no_crash(saved: Path, text: str):
    (saved / artifact.MANIFEST).write_text(text)
    with pytest.raises(ArtifactError, match="manifest"):
        artifact.load(saved, kind="intent")


def test_another_kind_and_another_format_are_refused(saved: Path):
    with pytest.raises(ArtifactError, match="'intent', not a 'recommender'"):
        artifact.load(saved, kind="recommender")
    manifest = json.loads((saved / artifact.MANIFEST).read_text())
    (saved / artifact.MANIFEST).write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(ArtifactError, match="format 99"):
        artifact.load(saved, kind="intent")


def test_nothing_there_says_so(tmp_path: Path):
    with pytest.raises(ArtifactError, match="no saved model"):
        artifact.load(tmp_path / "none", kind="intent")


def test_a_write_that_dies_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def die(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifact.os, "fsync", die)
    with pytest.raises(ArtifactError, match="no space left"):
        artifact.save(tmp_path / "model", kind="x", tensors={}, meta={})
    assert list(tmp_path.iterdir()) == []


def test_meta_that_is_no_json_leaves_nothing(tmp_path: Path):
    with pytest.raises(ArtifactError, match="plain JSON"):
        artifact.save(tmp_path / "model", kind="x", tensors={}, meta={"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_second_save_replaces_the_first(saved: Path):
    artifact.save(saved, kind="intent", tensors={}, meta={"new": 1})
    assert artifact.load(saved, kind="intent") == ({}, {"new": 1})
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_further_files_are_checked_too(tmp_path: Path):
    folder = tmp_path / "model"
    artifact.save(folder, kind="x", tensors={}, meta={}, files={"log.txt": b"hello"})
    assert artifact.read(folder, "log.txt", kind="x") == b"hello"
    (folder / "log.txt").write_bytes(b"hullo")
    with pytest.raises(ArtifactError, match="checksum"):
        artifact.load(folder, kind="x")
    with pytest.raises(ArtifactError, match="cannot be the name"):
        artifact.save(folder, kind="x", tensors={}, meta={}, files={"../evil": b""})
