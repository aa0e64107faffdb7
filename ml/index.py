"""Search for the nearest vectors by inner product, on FAISS."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import artifact
from ml.errors import DataError
from ml.types import Hit, Tensors, Vectors

KIND = "vector-index"
FLAT_BELOW = 100_000  # up to here an exact search takes milliseconds
LINKS, BUILD_EFFORT, SEARCH_EFFORT = 32, 200, 128


class VectorIndex:
    """Vectors and their ids: exact below 100,000, an HNSW graph from there.

    An exact index is searched on the GPU where FAISS has one. The graph is that of Malkov and Yashunin
    2018 (arXiv:1603.09320).
    """

    def __init__(self, ids: Sequence[str], index: Any) -> None:
        self._ids = list(ids)
        self._index = index
        self._fastest = _on_gpu(index)

    @classmethod
    def build(cls, ids: Sequence[str], vectors: Vectors) -> Self:
        """From ids and float32[n, d]. Raises `DataError` where they do not fit together."""
        import faiss

        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or len(ids) != len(vectors):
            raise DataError(f"{len(ids)} ids and vectors of shape {vectors.shape} do not fit")
        if not np.isfinite(vectors).all():
            raise DataError("a vector to be indexed holds something that is no finite number")
        dimension = vectors.shape[1]
        index: Any = faiss.IndexFlatIP(dimension)
        if len(vectors) >= FLAT_BELOW:
            index = faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = BUILD_EFFORT
            index.hnsw.efSearch = SEARCH_EFFORT
        index.add(vectors)
        return cls(ids, index)

    def search(
        self, vectors: Vectors, k: int, *, among: NDArray[np.intp] | None = None
    ) -> list[list[Hit]]:
        """For each row of float32[m, d] its k nearest, the best first; fewer where there are.

        With `among` only those rows of the index are looked at.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        k = min(k, len(self))
        if k <= 0:
            return [[] for _ in vectors]
        if vectors.ndim != 2 or vectors.shape[1] != self._index.d:
            raise DataError(f"vectors of shape {vectors.shape} in an index of d = {self._index.d}")
        scores, rows = self._search(vectors, k, among)
        return [
            [
                Hit(self._ids[row], score)
                for row, score in zip(rows_, scores_, strict=True)
                if row >= 0
            ]
            for rows_, scores_ in zip(rows.tolist(), scores.tolist(), strict=True)
        ]

    def vectors(self, rows: NDArray[np.intp]) -> Vectors:
        """float32[rows, d] of some rows."""
        return np.asarray(self._index.reconstruct_batch(rows), dtype=np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    def _search(self, vectors: Vectors, k: int, among: NDArray[np.intp] | None) -> Any:
        if among is None:
            return self._fastest.search(vectors, k)
        import faiss

        chosen: Any = {"sel": faiss.IDSelectorBatch(among)}
        graph = isinstance(self._index, faiss.IndexHNSW)
        kinds: Any = faiss
        parameters = (
            kinds.SearchParametersHNSW(efSearch=SEARCH_EFFORT, **chosen)
            if graph
            else kinds.SearchParameters(**chosen)
        )
        # A GPU's index cannot choose; it is searched on the CPU then.
        return self._index.search(vectors, k, params=parameters)

    def save(self, folder: Path) -> None:
        import faiss

        tensors: Tensors = {"index": faiss.serialize_index(self._index)}
        artifact.save(folder, kind=KIND, tensors=tensors, meta={"ids": self._ids})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises `ArtifactError` where there is no whole index."""
        import faiss

        tensors, meta = artifact.load(folder, kind=KIND)
        return cls(meta["ids"], faiss.deserialize_index(tensors["index"]))


def _on_gpu(index: Any) -> Any:
    """A copy on the GPUs; the index itself where there are none, and a graph, which has no GPU form."""
    import faiss

    gpus = getattr(faiss, "get_num_gpus", lambda: 0)()
    exact = isinstance(index, faiss.IndexFlat) and index.ntotal
    return faiss.index_cpu_to_all_gpus(index) if gpus and exact else index
