"""An encoder in eight bits: a quarter of the size, and on most CPUs the fastest way to serve.

Weights are symmetric int8 with one scale for each output channel of a linear layer and for each row
of an embedding table; activations are quantised as they come, one scale for each batch (dynamic
quantisation, as in Zafrir et al. 2019, arXiv:1910.06188). The file holds plain tensors: `NAME` int8
[out, in] and `NAME.scale` float32[out], everything else as float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.compress import folder
from ml.errors import WeightsError

if TYPE_CHECKING:
    import torch

FILE = "int8.safetensors"
SCALE = ".scale"
LARGE = 127  # the largest whole number a weight becomes, and, with its sign, the smallest


def is_int8(source: Path) -> bool:
    return (source / FILE).is_file()


def save(source: Path, out: Path) -> None:
    """Writes the encoder of `source` in int8. Raises `WeightsError`."""
    from safetensors.torch import save_file

    from ml.encoder import load_model

    model = load_model(source, "float32")

    def write(draft: Path) -> None:
        tensors = {}
        matrices = {f"{path}.weight" for path, _ in (*_linear(model), *_tables(model))}
        for name, tensor in model.state_dict().items():
            if name in matrices:
                tensors[name], tensors[name + SCALE] = _rounded(tensor)
            else:
                tensors[name] = tensor.contiguous()
        save_file(tensors, str(draft / FILE))
        model.config.save_pretrained(draft)

    folder.write(source, out, write)


def load(source: Path, dtype: str) -> Any:
    """The bare transformer, its weights turned back to `dtype`: to train, or for a GPU.

    Raises `WeightsError` where the folder does not hold an int8 encoder.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    try:
        found = load_file(str(source / FILE))
        tensors = {
            name: tensor.float() * found[name + SCALE][:, None]
            if tensor.dtype == torch.int8
            else tensor
            for name, tensor in found.items()
            if not name.endswith(SCALE)
        }
        config = AutoConfig.from_pretrained(source, local_files_only=True)
        model = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        if getattr(model, "pooler", None) is not None:
            model.pooler = None
        model.load_state_dict(tensors)
    except Exception as error:  # safetensors, transformers and torch raise their own
        raise WeightsError(
            f"the int8 encoder in {source} cannot be loaded: {error}; make it again"
        ) from error
    return model.to(getattr(torch, dtype)).eval().requires_grad_(False)


def quantise(model: Any) -> Any:
    """The float32 model, changed in place to compute in int8 on a CPU; its table is int8 as well."""
    import warnings

    with warnings.catch_warnings():
        # PyTorch 2.13 means to drop its quantised tensors one day; the pinned one has them.
        warnings.filterwarnings("ignore", message="torch.quantize_per_tensor")
        for path, layer in _linear(model):
            model.set_submodule(path, _quantised_linear(layer))
        for path, table in _tables(model):
            model.set_submodule(path, _quantised_table(table))
    return model


def _quantised_linear(layer: torch.nn.Linear) -> Any:
    import torch
    from torch.ao.nn.quantized.dynamic import Linear

    rounded, scale = _rounded(layer.weight)
    zero = torch.zeros(len(scale), dtype=torch.long)
    weight = torch._make_per_channel_quantized_tensor(rounded, scale.double(), zero, 0)
    quantised = Linear(layer.in_features, layer.out_features)  # type: ignore[no-untyped-call]
    quantised.set_weight_bias(weight, None if layer.bias is None else layer.bias.detach())
    return quantised


def _quantised_table(table: torch.nn.Embedding) -> Any:
    import torch
    from torch.ao.nn.quantized import Embedding

    rounded, scale = _rounded(table.weight)
    # This kernel knows unsigned bytes only: the same numbers, 128 higher, with 128 as nothing.
    unsigned = (rounded.short() + 128).to(torch.uint8)
    zero = torch.full((len(scale),), 128.0)
    weight = torch._make_per_channel_quantized_tensor(unsigned, scale, zero, 0)
    return Embedding(table.num_embeddings, table.embedding_dim, _weight=weight)


def _linear(model: Any) -> list[tuple[str, Any]]:
    import torch

    return [(n, m) for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)]


def _tables(model: Any) -> list[tuple[str, Any]]:
    """The table of word pieces; those of positions and types are small, and their sum is exact."""
    words = model.get_input_embeddings()
    return [(name, module) for name, module in model.named_modules() if module is words]


def _rounded(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """int8[out, in] and the float32[out] to multiply it by."""
    import torch

    matrix = matrix.detach().float()
    scale = (matrix.abs().amax(1) / LARGE).clamp_min(1e-12)
    return torch.round(matrix / scale[:, None]).to(torch.int8), scale
