"""An encoder with fewer layers, or with narrower ones, taught by itself as it was before.

Whole layers go at even distances (Sajjad et al. 2020, arXiv:2004.03844); of the layers that stay,
the neurons between the two matrices whose weights are smallest (structured magnitude pruning). Both
leave a plain model that a config.json can describe, and that needs no special kernels. Heads are
not cut: a Hugging Face config ties a head's width to their number.
"""

from __future__ import annotations

from typing import Any

from ml.errors import DataError, WeightsError


def drop_layers(model: Any, keep: int) -> None:
    """Keeps so many layers at even distances, the first and the last among them, in place."""
    import torch

    layers = _layers(model)
    if not 1 <= keep <= len(layers):
        raise DataError(f"the encoder has {len(layers)} layers; keep 1 to {len(layers)} of them")
    chosen = [round(n * (len(layers) - 1) / max(1, keep - 1)) for n in range(keep)]
    model.encoder.layer = torch.nn.ModuleList(layers[number] for number in chosen)
    model.config.num_hidden_layers = keep


def narrow(model: Any, width: int) -> None:
    """Keeps so many neurons of every feed-forward block, in place."""
    most = model.config.intermediate_size
    if not 1 <= width <= most:
        raise DataError(f"the feed-forward blocks are {most} wide; keep 1 to {most}")
    for layer in _layers(model):
        up, down = layer.intermediate.dense, layer.output.dense
        strength = up.weight.norm(dim=1) * down.weight.norm(dim=0)
        kept = strength.topk(width).indices.sort().values
        layer.intermediate.dense = _linear(up.weight[kept], up.bias[kept])
        layer.output.dense = _linear(down.weight[:, kept], down.bias)
    model.config.intermediate_size = width


def _linear(weight: Any, bias: Any) -> Any:
    import torch

    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight, layer.bias = (torch.nn.Parameter(t.detach().clone()) for t in (weight, bias))
    return layer


def _layers(model: Any) -> Any:
    """The layers of a model built like BERT."""
    layers = getattr(getattr(model, "encoder", None), "layer", None)
    if layers is None or not hasattr(layers[0], "intermediate"):
        raise WeightsError(
            f"an encoder of the kind {model.config.model_type!r} cannot be cut; one that is built "
            "like BERT or RoBERTa can"
        )
    return layers
