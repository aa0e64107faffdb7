"""A recommender's signals as the tensors and the meta of an artifact, and back."""

from typing import Any

import numpy as np

from ml.recommend.goods import Goods
from ml.recommend.interactions import Matrix
from ml.recommend.sequence import SequenceModel
from ml.recommend.signals import Signals
from ml.types import Tensors


def parts(signals: Signals) -> tuple[Tensors, dict[str, Any]]:
    """Tensors and meta that `signals` makes the same again of."""
    tensors: Tensors = {
        **_sparse("weights", signals.weights),
        **_sparse("lent", signals.lent),
        "popularity": signals.popularity,
        "fresh": signals.fresh,
        "cold": signals.cold.astype(np.uint8),
        "ranked": signals.ranked.astype(np.int64),
        "categories": signals.goods.categories,
        "brands": signals.goods.brands,
        "prices": signals.goods.prices,
    }
    meta: dict[str, Any] = {"sequence": None}
    if signals.near is not None:
        tensors |= _sparse("near", signals.near)
    if signals.text is not None:
        tensors["text"] = signals.text
    if signals.sequence is not None:
        tensors |= signals.sequence.tensors()
        meta["sequence"] = signals.sequence.meta()
    return tensors, meta


def signals(tensors: Tensors, meta: dict[str, Any]) -> Signals:
    text = tensors.get("text")
    return Signals(
        weights=_matrix("weights", tensors),
        lent=_matrix("lent", tensors),
        near=_matrix("near", tensors) if "near.values" in tensors else None,
        text=text,
        popularity=tensors["popularity"],
        fresh=tensors["fresh"],
        cold=tensors["cold"].astype(bool),
        ranked=tensors["ranked"],
        goods=Goods(tensors["categories"], tensors["brands"], tensors["prices"]),
        sequence=SequenceModel.of(tensors, meta["sequence"], text) if meta["sequence"] else None,
    )


def _sparse(name: str, matrix: Matrix) -> Tensors:
    return {
        f"{name}.values": matrix.data,
        f"{name}.columns": matrix.indices.astype(np.int32),
        f"{name}.rows": matrix.indptr.astype(np.int64),
    }


def _matrix(name: str, tensors: Tensors) -> Matrix:
    from scipy.sparse import csr_matrix

    rows = tensors[f"{name}.rows"]
    count = len(rows) - 1
    shape = (count, count)
    return csr_matrix((tensors[f"{name}.values"], tensors[f"{name}.columns"], rows), shape)
