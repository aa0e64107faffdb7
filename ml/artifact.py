"""A saved model: a folder with safetensors, JSON and a manifest of checksums. Never a pickle.

manifest.json        {"format": 1, "kind": ..., "files": {name: {"sha256": ..., "bytes": ...}}}
tensors.safetensors  the arrays
meta.json            everything else the model needs
...                  further files of the caller's
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import ArtifactError
from ml.types import Tensors

FORMAT = 1
MANIFEST, META, TENSORS = "manifest.json", "meta.json", "tensors.safetensors"


def save(
    folder: Path,
    *,
    kind: str,
    tensors: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
) -> None:
    """Writes the artifact so that it is at `folder` whole or not at all.

    Everything is written and synced in a temporary folder beside it, then renamed. What stood at
    `folder` before is replaced. Raises `ArtifactError` when it cannot be written (a full disk, a
    value of `meta` that JSON does not know); nothing is left behind then.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ArtifactError(f"cannot write to {folder.parent}: {_reason(error)}") from error
    try:
        _write(draft, kind=kind, tensors=tensors, meta=meta, files=files or {})
        _put_in_place(draft, folder)
    except OSError as error:
        raise ArtifactError(f"cannot save {kind!r} to {folder}: {_reason(error)}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def load(folder: Path, *, kind: str) -> tuple[Tensors, dict[str, Any]]:
    """The tensors and the meta of an artifact, after every checksum in it was verified.

    Raises `ArtifactError` when there is none, when it holds another kind of model or another
    format, and when a file is missing, cut short or changed.
    """
    from safetensors.numpy import load as parse

    files = _verify(folder, _manifest(folder, kind=kind))
    return parse(files[TENSORS]), dict(json.loads(files[META]))


def read(folder: Path, name: str, *, kind: str) -> bytes:
    """One further file that was saved with the artifact, after its checksum was verified."""
    entries = _manifest(folder, kind=kind)
    if name not in entries:
        raise ArtifactError(f"the model at {folder} has no file {name!r}")
    return _verify(folder, {name: entries[name]})[name]


def _write(
    draft: Path,
    *,
    kind: str,
    tensors: Mapping[str, NDArray[Any]],
    meta: Mapping[str, Any],
    files: Mapping[str, bytes],
) -> None:
    from safetensors.numpy import save as serialize

    try:
        text = json.dumps(meta, ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"the meta data of {kind!r} is not plain JSON: {error}") from error
    contents = {
        TENSORS: serialize({name: np.ascontiguousarray(t) for name, t in tensors.items()}),
        META: text.encode(),
    }
    for name in files:
        if Path(name).name != name or name in {MANIFEST, META, TENSORS}:
            raise ArtifactError(f"{name!r} cannot be the name of a file in an artifact")
    contents |= files
    entries = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in contents.items()
    }
    manifest = json.dumps({"format": FORMAT, "kind": kind, "files": entries}, indent=1)
    for name, data in {**contents, MANIFEST: manifest.encode()}.items():
        with (draft / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    draft.chmod(0o755)  # mkdtemp's 0o700 would hide it from a server under another user


def _put_in_place(draft: Path, folder: Path) -> None:
    if folder.exists():
        old = draft.with_name(draft.name + "-old")
        folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(folder)
    parent = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _manifest(folder: Path, *, kind: str) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        found, version, files = manifest["kind"], manifest["format"], dict(manifest["files"])
    except FileNotFoundError as error:
        raise ArtifactError(f"there is no saved model at {folder}; train it again") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{MANIFEST} at {folder} is damaged; train the model again") from error
    if found != kind:
        raise ArtifactError(f"the model at {folder} is a {found!r}, not a {kind!r}")
    if version != FORMAT:
        raise ArtifactError(
            f"the model at {folder} has format {version}, this program reads {FORMAT}"
        )
    if not {META, TENSORS} <= files.keys():
        raise ArtifactError(f"{MANIFEST} at {folder} is incomplete; train the model again")
    return files


def _verify(folder: Path, entries: Mapping[str, Any]) -> dict[str, bytes]:
    contents = {}
    for name, entry in entries.items():
        try:
            data = (folder / Path(name).name).read_bytes()
        except OSError as error:
            raise ArtifactError(f"{name} of the model at {folder} cannot be read") from error
        if hashlib.sha256(data).hexdigest() != entry.get("sha256"):
            raise ArtifactError(
                f"{name} of the model at {folder} does not match its checksum: "
                "it was cut short or changed; train the model again"
            )
        contents[name] = data
    return contents


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
