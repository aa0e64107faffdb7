"""A tenant's own small change to the shared encoder: low-rank matrices beside its linear layers."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.errors import ModelError
from ml.types import Tensors

if TYPE_CHECKING:
    import torch

    Pair = tuple[torch.Tensor, torch.Tensor]

KEPT_BYTES = 1 << 30  # of adapters on the device, the least recently used leave first


@dataclass(frozen=True, eq=False)
class Adapter:
    """LoRA (Hu et al. 2021, arXiv:2106.09685): `y = x W + (x aᵀ) bᵀ` in every adapted layer.

    `encoder` is the fingerprint of the encoder it was trained on. `tensors` are, for each layer by
    its path in the Hugging Face model, `PATH.a` float[rank, in] and `PATH.b` float[out, rank] with
    LoRA's scaling folded into b.
    """

    encoder: str
    tensors: Tensors

    @cached_property
    def name(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(self.tensors):
            tensor = self.tensors[path]
            digest.update(f"{path} {tensor.dtype} {tensor.shape}".encode() + tensor.tobytes())
        return digest.hexdigest()[:16]

    @property
    def rank(self) -> int:
        """Of its matrices; all have the same where it comes from `ml.lora`."""
        return max(len(t) for path, t in self.tensors.items() if path.endswith(".a"))

    @property
    def space(self) -> str:
        """Vectors may be compared where their space is the same."""
        return f"{self.encoder}+{self.name}"


def halfway(one: Adapter, other: Adapter) -> Adapter:
    """The mean of two changes to the same encoder, in the first one's rank.

    What is averaged are the products of each layer's matrices, as the matrices themselves may be
    turned against each other; of the mean, whose rank is that of both together, the greatest
    directions are kept.
    """
    tensors: Tensors = {}
    for path in (name.removesuffix(".a") for name in one.tensors if name.endswith(".a")):
        down = np.concatenate([part.tensors[f"{path}.a"] for part in (one, other)])
        up = np.concatenate([part.tensors[f"{path}.b"] for part in (one, other)], axis=1) / 2
        (left, inner), (right, outer) = np.linalg.qr(up), np.linalg.qr(down.T)
        turned, sizes, back = np.linalg.svd(inner @ outer.T)
        rank = len(one.tensors[f"{path}.a"])
        tensors[f"{path}.a"] = back[:rank] @ right.T
        tensors[f"{path}.b"] = left @ turned[:, :rank] * sizes[:rank]
    return Adapter(encoder=one.encoder, tensors=tensors)


class AdapterBank:
    """Many tenants' adapters beside one model: each row of a batch passes through its own.

    Several threads may run the model at once; what `beside` says holds for the calling thread alone.
    """

    def __init__(self, model: Any, *, encoder: str) -> None:
        import torch

        self._encoder = encoder
        self._kept: OrderedDict[str, dict[str, Pair]] = OrderedDict()
        self._lock = threading.Lock()
        self._current = threading.local()
        # Of an encoder in int8 (ml.compress.int8) the layers are of a class of their own, and what
        # goes in and out of them has the dtype of the parameters that are left.
        kinds = (torch.nn.Linear, torch.ao.nn.quantized.dynamic.Linear)
        self._layers = {
            path: module for path, module in model.named_modules() if isinstance(module, kinds)
        }
        self._like = next(model.parameters())
        for path, layer in self._layers.items():
            layer.register_forward_hook(self._hook(path))

    @contextmanager
    def beside(self, adapters: Sequence[Adapter | None]) -> Iterator[None]:
        """Within it a forward pass of as many rows takes each row's adapter, or none for None.

        Raises `ModelError` for an adapter of another encoder or of other layers.
        """
        self._current.pairs = self._gather(adapters)
        try:
            yield
        finally:
            self._current.pairs = {}

    def _gather(self, adapters: Sequence[Adapter | None]) -> dict[str, Pair]:
        """For each adapted layer (in, rank) and (rank, out), with rows in front where they differ."""
        names = {None if adapter is None else adapter.name for adapter in adapters}
        if names == {None}:
            return {}
        loaded = {a.name: self._load(a) for a in adapters if a is not None}
        if len(names) == 1:
            return next(iter(loaded.values()))
        rank = max(a.shape[1] for pairs in loaded.values() for a, _ in pairs.values())
        gathered = {}
        for path in sorted({path for pairs in loaded.values() for path in pairs}):
            layer = self._layers[path]
            # A row without this layer, and what a lower rank lacks, is zero: it adds nothing.
            a = self._like.new_zeros(len(adapters), layer.in_features, rank)
            b = self._like.new_zeros(len(adapters), rank, layer.out_features)
            for row, adapter in enumerate(adapters):
                if adapter is not None and path in loaded[adapter.name]:
                    down, up = loaded[adapter.name][path]
                    a[row, :, : down.shape[1]], b[row, : up.shape[0]] = down, up
            gathered[path] = (a, b)
        return gathered

    def _load(self, adapter: Adapter) -> dict[str, Pair]:
        """The adapter's matrices, transposed, on the model's device and in its dtype."""
        if adapter.encoder != self._encoder:
            raise ModelError(
                f"the adapter {adapter.name} belongs to the encoder {adapter.encoder}, and this is "
                f"{self._encoder}; tune the model again, or set ENCODER as it was"
            )
        with self._lock:
            if adapter.name in self._kept:
                self._kept.move_to_end(adapter.name)
                return self._kept[adapter.name]
        pairs = self._check(adapter)
        with self._lock:
            self._kept[adapter.name] = pairs
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > KEPT_BYTES:
                self._kept.popitem(last=False)
        return pairs

    def _check(self, adapter: Adapter) -> dict[str, Pair]:
        import torch

        pairs = {}
        for path in sorted({name.rpartition(".")[0] for name in adapter.tensors}):
            layer = self._layers.get(path)
            a, b = adapter.tensors.get(f"{path}.a"), adapter.tensors.get(f"{path}.b")
            if layer is None or a is None or b is None:
                raise ModelError(f"the adapter {adapter.name} does not fit the encoder at {path!r}")
            if a.shape[1:] != (layer.in_features,) or b.shape != (layer.out_features, len(a)):
                raise ModelError(f"the adapter {adapter.name} has other shapes at {path!r}")
            down, up = (torch.from_numpy(matrix.T.copy()).to(self._like) for matrix in (a, b))
            pairs[path] = (down, up)
        return pairs

    def _hook(self, path: str) -> Any:
        def add(_layer: Any, given: tuple[torch.Tensor], output: torch.Tensor) -> Any:
            pair = getattr(self._current, "pairs", {}).get(path)
            return output if pair is None else output + given[0] @ pair[0] @ pair[1]

        return add


def _bytes(pairs: dict[str, Pair]) -> int:
    return sum(matrix.nbytes for pair in pairs.values() for matrix in pair)
