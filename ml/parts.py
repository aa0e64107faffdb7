"""The sentences of passages: by its nearest one it is told whether a passage answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.language import Language
from ml.types import Vectors
from ml.vectors import unit

OWN_CENTRE = 20  # passages whose own centre weighs as much as the common one
AT_ONCE = 8_192


class Parts:
    """Vectors of the sentences of many passages, away from what all in their language have in common.

    A passage says many things, and its vector a bit of each: it is near to many questions, and very
    near to none. One of its sentences is near to the question that it answers.
    """

    def __init__(
        self,
        parts: Sequence[Vectors],
        languages: Sequence[Language],
        common: dict[Language, Vectors],
    ) -> None:
        """`parts` are float16 or float32[sentences, d] of each passage, one sentence at the least."""
        counts = np.asarray([len(part) for part in parts], dtype=np.intp)
        self._starts = np.concatenate([[0], counts.cumsum()]).astype(np.intp)
        self._vectors = np.concatenate(parts).astype(np.float16)
        spoken = np.repeat(np.asarray(languages), counts)
        centres = own_centres(self._vectors, spoken, common, passages=languages)
        for start in range(0, len(self._vectors), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            middles = np.stack([centres[language] for language in spoken[some].tolist()])
            self._vectors[some] = unit(self._vectors[some] - middles)

    def nearest(self, rows: NDArray[np.intp], vector: Vectors) -> Vectors:
        """float32[rows]: the greatest cosine of float32[d], of length one, with a part of each."""
        starts, ends = self._starts[rows], self._starts[rows + 1]
        firsts = np.concatenate([[0], (ends - starts).cumsum()])
        places = np.arange(firsts[-1]) + np.repeat(starts - firsts[:-1], ends - starts)
        cosines = self._vectors[places].astype(np.float32) @ vector
        return np.asarray(np.maximum.reduceat(cosines, firsts[:-1]))


def own_centres(
    vectors: NDArray[np.floating[Any]],
    spoken: Sequence[Language] | NDArray[np.str_],
    common: dict[Language, Vectors],
    *,
    passages: Sequence[Language],
) -> dict[Language, Vectors]:
    """float32[d]: what a tenant's texts in a language have in common, from float[n, d] of them.

    `spoken` are the vectors' languages, `passages` those of the passages that they are of: a handful
    of these has no centre of its own that could be relied on.
    """
    languages, own = np.asarray(spoken), {}
    for language, centre in common.items():
        mine = languages == language
        count = list(passages).count(language)
        weight = count / (count + OWN_CENTRE)
        mean = vectors[mine].mean(axis=0, dtype=np.float32) if count else centre
        own[language] = weight * mean + (1 - weight) * centre
    return own
