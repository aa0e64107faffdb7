"""Intents that nobody has named yet: groups of like messages, found without a label."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml import naming
from ml.errors import DataError
from ml.types import Vectors
from ml.vectors import unit

FEWEST = 3  # different texts that make a group
NEIGHBOURS = (3, 15)
NEAR_BACKGROUND = 0.5  # the share of small talk from which a whole group is
Groups = NDArray[np.int64]
"""int64[n]: the group of each text, -1 where it belongs to none."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A group of texts that may be an intent.

    `members` are places in the texts given, the most typical first, and `typicality` (-1..1) is each
    one's cosine to the middle of the group. `quality` (0..1) is the share of the members' nearest
    neighbours that are in the group too. `keywords` are its distinctive words.
    """

    name: str
    keywords: tuple[str, ...]
    members: tuple[int, ...]
    typicality: tuple[float, ...]
    examples: tuple[int, ...]
    quality: float


def discover(
    texts: Sequence[str], vectors: Vectors, *, background: Vectors | None = None, seed: int = 0
) -> list[Proposal]:
    """Proposed intents of texts and their unit vectors, float32[n, d]; the largest first.

    Texts nearer to `background`, float32[m, d], than to each other are small talk and dropped, as are
    groups of fewer than three different texts. The number of groups is found, not given; fewer than
    three texts make none. Raises `DataError` where texts and vectors do not fit.
    """
    vectors = _checked(texts, vectors)
    first = _first_of_equals(texts)
    kept, where = np.unique(first, return_inverse=True)
    if len(kept) < FEWEST:
        return []
    space = _centred(vectors[kept])
    near, _ = _neighbours(space)
    found = _communities(near, seed=seed)
    if background is not None and len(background):
        found = _without_small_talk(found, vectors[kept], background)
    sizes = np.bincount(where)
    groups = [np.flatnonzero(found == group) for group in np.unique(found[found >= 0])]
    groups = [rows for rows in groups if len(rows) >= FEWEST]
    groups.sort(key=lambda rows: (-int(sizes[rows].sum()), int(rows[0])))
    words = naming.keywords([[texts[kept[row]] for row in rows] for rows in groups])
    names = naming.names(words)
    return [
        _proposal(rows, name, top, space=space, near=near, where=where)
        for rows, name, top in zip(groups, names, words, strict=True)
    ]


def group(vectors: Vectors, *, seed: int = 0) -> Groups:
    """The group of every row of float32[n, d]: communities of the graph of shared neighbours.

    An edge joins a text to its nearest neighbours, weighted by the share of neighbours that both have
    in common (Jarvis and Patrick 1973); groups are the Louvain communities (Blondel et al. 2008,
    arXiv:0803.0476). All are compared after the mean of the vectors is taken out.
    """
    if len(vectors) < FEWEST:
        return np.zeros(len(vectors), dtype=np.int64)
    return _communities(_neighbours(_centred(vectors))[0], seed=seed)


def clusters_ari(groups: Groups, labels: Sequence[str]) -> float:
    """The adjusted Rand index of groups against labels; a text in no group is a group by itself."""
    from sklearn.metrics import adjusted_rand_score

    alone = np.arange(len(groups)) + groups.max(initial=0) + 1
    return float(adjusted_rand_score(labels, np.where(groups < 0, alone, groups)))


def clusters_found(groups: Groups, labels: Sequence[str], *, purity: float = 0.5) -> float:
    """The share (0..1) of the labels that are found.

    A label is found when at least one group has it as its commonest label and at least `purity` of
    that group's texts carry it. Texts in no group (-1) count for nothing.
    """
    names, classes = np.unique(np.asarray(labels, dtype=object), return_inverse=True)
    found = set()
    for number in np.unique(groups[groups >= 0]):
        counts = np.bincount(classes[groups == number])
        if counts.max() >= purity * counts.sum():
            found.add(int(counts.argmax()))
    return len(found) / max(1, len(names))


def _checked(texts: Sequence[str], vectors: Vectors) -> Vectors:
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(texts) and (vectors.ndim != 2 or len(vectors) != len(texts)):
        raise DataError(f"{len(texts)} texts and vectors of {vectors.shape} do not fit")
    if not np.isfinite(vectors).all():
        raise DataError("a vector holds something that is no finite number")
    return vectors


def _first_of_equals(texts: Sequence[str]) -> NDArray[np.int64]:
    """For each text the place of the first that differs from it in case, width or spacing only."""
    seen: dict[str, int] = {}
    plain = (" ".join(unicodedata.normalize("NFKC", t).casefold().split()) for t in texts)
    return np.array([seen.setdefault(text, place) for place, text in enumerate(plain)], dtype=int)


def _centred(vectors: Vectors) -> Vectors:
    """Unit vectors without what all of them have in common (Mu and Viswanath 2018, arXiv:1702.01417)."""
    return unit(vectors - vectors.mean(axis=0))


def _neighbours(space: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    """The nearest others of each row and their cosines: int64[n, k] and float32[n, k]."""
    import faiss

    k = min(int(np.clip(round(np.log2(len(space))), *NEIGHBOURS)), len(space) - 1)
    index = faiss.IndexFlatIP(space.shape[1])
    index.add(space)
    scores, rows = index.search(space, k + 1)
    others = rows != np.arange(len(space))[:, None]
    others[others.all(axis=1), -1] = False  # itself was not among the nearest: many are equal
    return rows[others].reshape(len(space), k), scores[others].reshape(len(space), k)


def _communities(near: NDArray[np.int64], *, seed: int) -> Groups:
    import networkx

    sets = [set(row) for row in near.tolist()]
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(sets)))
    for one, others in enumerate(sets):
        for other in sorted(others):
            # Each counts itself too: two that are one another's nearest have that in common.
            both = (sets[one] | {one}) & (sets[other] | {other})
            union = sets[one] | sets[other] | {one, other}
            if both:
                graph.add_edge(one, other, weight=len(both) / len(union))
    found = np.zeros(len(sets), dtype=np.int64)
    for number, rows in enumerate(networkx.community.louvain_communities(graph, seed=seed)):
        found[sorted(rows)] = number
    return found


def _without_small_talk(found: Groups, vectors: Vectors, background: Vectors) -> Groups:
    """Groups most of whose texts are nearer to talk about other things than to their own middle."""
    small = found.copy()
    for number in np.unique(found):
        rows = np.flatnonzero(found == number)
        own = vectors[rows] @ vectors[rows].T
        np.fill_diagonal(own, -1.0)
        other = (vectors[rows] @ background.T).max(axis=1)
        talk = other > own.max(axis=1)
        small[rows[talk]] = -1
        if talk.mean() >= NEAR_BACKGROUND:
            small[rows] = -1
    return small


def _proposal(
    rows: NDArray[np.int64],
    name: str,
    words: Sequence[str],
    *,
    space: Vectors,
    near: NDArray[np.int64],
    where: NDArray[np.int64],
) -> Proposal:
    middle = space[rows].mean(axis=0)
    typical = space[rows] @ (middle / max(float(np.linalg.norm(middle)), 1e-9))
    quality = float(np.isin(near[rows], rows).mean())
    of_row = dict(zip(rows.tolist(), typical.tolist(), strict=True))
    members = [place for place, row in enumerate(where.tolist()) if row in of_row]
    members.sort(key=lambda place: (-of_row[int(where[place])], place))
    first = {int(where[place]): place for place in reversed(members)}
    shown = [first[int(row)] for row in _diverse(space[rows], typical, rows)]
    typicality = tuple(round(of_row[int(where[place])], 4) for place in members)
    return Proposal(name, tuple(words), tuple(members), typicality, tuple(shown), quality)


def _diverse(space: Vectors, typical: Vectors, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to five texts: the most typical, then each the farthest from those, of the typical half."""
    half = np.argsort(-typical, kind="stable")[: max(5, len(rows) // 2)]
    chosen = [int(half[0])]
    while len(chosen) < min(5, len(half)):
        nearest = (space[half] @ space[chosen].T).max(axis=1)
        nearest[np.isin(half, chosen)] = np.inf
        chosen.append(int(half[nearest.argmin()]))
    return rows[chosen]
