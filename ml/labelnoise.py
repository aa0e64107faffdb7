"""Examples that look wrong: probable label errors, and texts that stand there twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.errors import DataError
from ml.types import Vectors

FOLDS = 5
ALIKE = 0.97  # cosine from which two texts say the same


@dataclass(frozen=True, slots=True)
class Doubt:
    """An example whose label is probably wrong. `certainty` (0..1): the model's lead for `suggested`."""

    place: int
    suggested: str
    certainty: float


@dataclass(frozen=True, slots=True)
class Twin:
    """Two examples that nearly say the same; `place` comes after `other`."""

    place: int
    other: int
    cosine: float


def errors(vectors: Vectors, labels: Sequence[str], *, seed: int = 0) -> list[Doubt]:
    """Probable label errors of unit vectors, float32[n, d], the surest first.

    Confident learning (Northcutt et al. 2021, arXiv:1911.00068): cross-validated probabilities; an
    example is confidently of a label whose probability reaches that label's own mean over the
    examples that carry it. Where that is another label than the given one, it is doubted. Labels with
    fewer than two examples are not judged. Raises `DataError` where the two do not fit.
    """
    if len(vectors) != len(labels):
        raise DataError(f"{len(vectors)} vectors and {len(labels)} labels do not fit")
    names, classes = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    sizes = np.bincount(classes)
    judged = np.flatnonzero(sizes[classes] >= 2)
    if len(np.unique(classes[judged])) < 2:
        return []
    kept, own = np.unique(classes[judged], return_inverse=True)
    chances = _held_out(vectors[judged], own, seed=seed)
    limits = np.array([chances[own == label, label].mean() for label in range(len(kept))])
    confident = np.where(chances >= limits, chances, -1.0)
    best = confident.argmax(axis=1)
    wrong = np.flatnonzero((confident.max(axis=1) > 0) & (best != own))
    lead = chances[wrong, best[wrong]] - chances[wrong, own[wrong]]
    found = [
        Doubt(int(judged[row]), str(names[kept[best[row]]]), float(ahead))
        for row, ahead in zip(wrong, lead, strict=True)
        if ahead > 0
    ]
    return sorted(found, key=lambda doubt: (-doubt.certainty, doubt.place))


def twins(vectors: Vectors, *, alike: float = ALIKE) -> list[Twin]:
    """Near-duplicates among unit vectors, float32[n, d]: each with its nearest from `alike` on."""
    import faiss

    if len(vectors) < 2:
        return []
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    scores, rows = index.search(
        np.ascontiguousarray(vectors, dtype=np.float32), min(6, len(vectors))
    )
    found: dict[int, Twin] = {}
    for place, (near, cosines) in enumerate(zip(rows.tolist(), scores.tolist(), strict=True)):
        for other, cosine in zip(near, cosines, strict=True):
            if other != place and cosine >= alike:
                later, earlier = max(place, other), min(place, other)
                found.setdefault(later, Twin(later, earlier, min(1.0, cosine)))
    return [found[place] for place in sorted(found)]


def _held_out(vectors: Vectors, classes: NDArray[np.int64], *, seed: int) -> NDArray[np.float64]:
    """float64[n, labels]: probabilities by models that did not see the example."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(
        min(FOLDS, int(np.bincount(classes).min())), shuffle=True, random_state=seed
    )
    model = LogisticRegression(C=10.0, max_iter=200)
    return np.asarray(cross_val_predict(model, vectors, classes, cv=folds, method="predict_proba"))
