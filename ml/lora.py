"""The shared encoder made trainable: LoRA (Hu et al. 2021, arXiv:2106.09685) on its linear layers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ml import weights
from ml.adapters import Adapter
from ml.encoder import (
    Kind,
    bfloat16_is_faster,
    clean,
    fingerprint_of,
    length_batches,
    load_model,
    load_tokenizer,
)
from ml.errors import ModelError
from ml.types import Vectors

if TYPE_CHECKING:
    import torch

MAX_TOKENS = 96  # of a message in training; what a customer wants is said by then
DROPOUT = 0.1
BATCH = 64


class Trainee:
    """One encoder with trainable low-rank matrices; the weights that all tenants share stay frozen.

    Frozen weights are bfloat16 where that is faster, the trainable ones always float32. Not safe to
    use from several threads. `dimension` is a vector's width.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, recipe: weights.Recipe, fingerprint: str, pad: int
    ) -> None:
        self.model = model
        self.fingerprint = fingerprint
        self.dimension = int(model.config.hidden_size)
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._pad = pad

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        rank: int = 16,
        dtype: str | None = None,
        device: str | None = None,
        threads: int | None = None,
        seed: int = 0,
    ) -> Self:
        """From the encoder's folder (see `ml.weights.locate`); b starts at nothing, a at random.

        Without a device it is the GPU where there is one, of several this process's own; without a
        dtype ("float32", "bfloat16") the faster. `threads` sets PyTorch's for the whole process.
        Raises `WeightsError` where the folder does not hold a model that can be read.
        """
        import torch
        from peft import LoraConfig, get_peft_model

        if threads:
            torch.set_num_threads(threads)
        own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"  # as accelerate and torchrun number them
        device = device or (own if torch.cuda.is_available() else "cpu")
        dtype = dtype or ("bfloat16" if device != "cpu" or bfloat16_is_faster() else "float32")
        base = load_model(folder, dtype)
        tokenizer, pad = load_tokenizer(folder, base.config)
        tokenizer.enable_truncation(min(MAX_TOKENS, base.config.max_position_embeddings))
        torch.manual_seed(seed)
        lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
        model = get_peft_model(base, lora).to(device)
        _ease(model)
        recipe = weights.recipe(folder)
        fingerprint = fingerprint_of(folder, recipe)
        return cls(model, tokenizer, recipe=recipe, fingerprint=fingerprint, pad=pad)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @property
    def dtype(self) -> str:
        """Of the frozen weights."""
        return str(self.embeddings.weight.dtype).removeprefix("torch.")

    @property
    def embeddings(self) -> Any:
        """The layer that turns token ids into vectors (its weights are frozen)."""
        return self.model.get_input_embeddings()

    def parameters(self) -> list[torch.nn.Parameter]:
        """The trainable ones."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def autocast(self) -> AbstractContextManager[Any]:
        """Within it products are taken in the dtype of the frozen weights."""
        import torch

        mixed = self.dtype == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=mixed)

    def tokenize(self, texts: Sequence[str], kind: Kind = "query") -> list[list[int]]:
        """Token ids, prefix included, cut at 96: all that training reads of a text."""
        prefix = self._recipe.query if kind == "query" else self._recipe.passage
        return [
            e.ids for e in self._tokenizer.encode_batch_fast([prefix + clean(t) for t in texts])
        ]

    def batch(self, tokens: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """(ids, mask), int64[n, longest] both, on the device."""
        import torch

        longest = max(map(len, tokens))
        ids = torch.tensor([t + [self._pad] * (longest - len(t)) for t in tokens])
        mask = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in tokens])
        return ids.to(self.device), mask.to(self.device)

    def embed(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float32[n, d] of length one, differentiable."""
        with self.autocast():
            states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.pool(states.float(), mask)

    def embed_words(self, words: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The same from float32[n, tokens, d] of `embeddings` in place of the ids."""
        dtype = self.embeddings.weight.dtype
        with self.autocast():
            states = self.model(
                inputs_embeds=words.to(dtype), attention_mask=mask
            ).last_hidden_state
        return self.pool(states.float(), mask)

    def pool(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float32[n, d] of length one from the last layer's float32[n, tokens, d]."""
        import torch

        cls = self._recipe.pooling == "cls"
        pooled = states[:, 0] if cls else (states * mask[:, :, None]).sum(1)
        return torch.nn.functional.normalize(pooled, dim=1)

    def vectors(self, texts: Sequence[str], kind: Kind = "query") -> torch.Tensor:
        """float32[n, d] of length one, differentiable, in one pass: for a batch."""
        return self.embed(*self.batch(self.tokenize(texts, kind)))

    def encode(self, texts: Sequence[str], kind: Kind = "query") -> Vectors:
        """float32[n, d] of length one, without gradients or dropout."""
        return self.encode_tokens(self.tokenize(texts, kind))

    def encode_tokens(self, tokens: Sequence[list[int]]) -> Vectors:
        """The same of token ids."""
        import torch

        vectors = np.empty((len(tokens), self.dimension), dtype=np.float32)
        training = self.model.training
        self.model.eval()
        with torch.inference_mode():
            for rows in length_batches([len(ids) for ids in tokens], BATCH):
                found = self.embed(*self.batch([tokens[row] for row in rows]))
                vectors[rows] = found.cpu().numpy()
        self.model.train(training)
        return vectors

    def adapter(self) -> Adapter:
        """What was learned so far, apart from the shared weights."""
        tensors = {}
        for path, layer in self._layers():
            scale = layer.scaling["default"]
            a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            tensors[f"{path}.a"] = a.detach().float().cpu().numpy().copy()
            tensors[f"{path}.b"] = (scale * b.detach().float()).cpu().numpy().copy()
        return Adapter(encoder=self.fingerprint, tensors=tensors)

    def load_adapter(self, adapter: Adapter) -> None:
        """Goes on from an adapter. Raises `ModelError` for one of another encoder or rank."""
        import torch

        if adapter.encoder != self.fingerprint:
            raise ModelError(
                f"the adapter belongs to the encoder {adapter.encoder}, not to {self.fingerprint}; "
                "tune the model again"
            )
        with torch.no_grad():
            for path, layer in self._layers():
                a, b = adapter.tensors[f"{path}.a"], adapter.tensors[f"{path}.b"]
                weight = layer.lora_A["default"].weight
                if weight.shape != a.shape:
                    raise ModelError(
                        f"the adapter has rank {len(a)}, this run rank {len(weight)}; "
                        "set the same rank"
                    )
                weight.copy_(torch.from_numpy(a))
                layer.lora_B["default"].weight.copy_(
                    torch.from_numpy(b / np.float32(layer.scaling["default"]))
                )

    def _layers(self) -> list[tuple[str, Any]]:
        modules = self.model.base_model.model.named_modules()
        return [(path, module) for path, module in modules if hasattr(module, "lora_A")]


def _ease(model: Any) -> None:
    """Takes out what costs a CPU a third of its time and brings next to nothing.

    Drawing dropout for attention's weights, and PyTorch's fused attention, which for short bfloat16
    sequences is slower on a CPU than plain products.
    """
    import torch

    if model.device.type == "cpu":
        model.base_model.model.set_attn_implementation("eager")
    for path, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = DROPOUT if path.endswith("output.dropout") else 0.0
