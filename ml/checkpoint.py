"""Where a training stands, on disk: a killed one goes on from there to the same result."""

import time
from pathlib import Path
from typing import Any

from ml import artifact
from ml.errors import ArtifactError
from ml.types import Progress, Tensors

KIND = "checkpoint"


class Checkpoint:
    """The last whole state of one training, in a folder of its own.

    `of` names what is trained on what: the state of anything else is not taken up. Without a folder
    nothing is kept.
    """

    def __init__(self, folder: Path | None, *, of: str, seconds: float, progress: Progress) -> None:
        self._folder = folder
        self._of = of
        self._seconds = seconds
        self._progress = progress
        self._last = time.monotonic()

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """What was saved last, None where there is nothing whole of this training."""
        if self._folder is None or not self._folder.exists():
            return None
        try:
            tensors, meta = artifact.load(self._folder, kind=KIND)
        except ArtifactError as error:
            self._progress(0.0, f"the checkpoint is not used: {error}")
            return None
        if meta["of"] != self._of:
            self._progress(0.0, "the checkpoint is of another training; starting anew")
            return None
        return tensors, dict(meta["state"])

    def due(self) -> bool:
        """Whether the last one is old enough for a new one."""
        return self._folder is not None and time.monotonic() - self._last >= self._seconds

    def save(self, share: float, tensors: Tensors, state: dict[str, Any]) -> None:
        """Replaces the last one, whole or not at all. A full disk costs the checkpoint only."""
        if self._folder is None:
            return
        self._last = time.monotonic()
        try:
            artifact.save(
                self._folder, kind=KIND, tensors=tensors, meta={"of": self._of, "state": state}
            )
        except ArtifactError as error:
            self._progress(share, f"no checkpoint was written, training goes on: {error}")
