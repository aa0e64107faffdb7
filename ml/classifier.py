"""The trainee with an intent head on it, both trained together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.head import Rows
from ml.lora import Trainee
from ml.types import Tensors, Vectors

if TYPE_CHECKING:
    import torch

SCALE = 20.0  # of the cosine at the start: logits then differ by what a softmax can learn from


class Classifier:
    """Scaled cosines between a text's vector and one direction for each class.

    The directions begin at the class means, as in weight imprinting (Qi et al. 2018,
    arXiv:1712.07136), so that few examples are enough and training starts where the frozen encoder
    already is.
    """

    def __init__(self, trainee: Trainee, vectors: Vectors, classes: Rows, *, count: int) -> None:
        """From the frozen encoder's float32[n, d] of the examples and their classes."""
        import torch

        means = np.zeros((count, vectors.shape[1]), dtype=np.float32)
        np.add.at(means, classes, vectors)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)
        self.trainee = trainee
        self.directions = torch.nn.Parameter(torch.from_numpy(means).to(trainee.device))
        self.scale = torch.nn.Parameter(torch.tensor([SCALE], device=trainee.device).log())

    def logits(self, vectors: torch.Tensor) -> torch.Tensor:
        """float32[n, classes] of float32[n, d]."""
        return vectors @ self.weight().T

    def weight(self) -> torch.Tensor:
        """float32[classes, d]."""
        import torch

        return self.scale.exp() * torch.nn.functional.normalize(self.directions, dim=1)

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """What training moves, by name."""
        head = {"directions": self.directions, "scale": self.scale}
        return head | {n: p for n, p in self.trainee.model.named_parameters() if p.requires_grad}

    def state(self) -> Tensors:
        return {n: p.detach().float().cpu().numpy().copy() for n, p in self.trained().items()}

    def restore(self, tensors: Tensors) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.trained().items():
                parameter.copy_(torch.from_numpy(tensors[name]))

    def score(self, tokens: list[list[int]]) -> tuple[Vectors, Vectors]:
        """Vectors and logits of token ids, without gradients or dropout."""
        vectors = self.trainee.encode_tokens(tokens)
        weight: Any = self.weight().detach().cpu().numpy()
        return vectors, vectors @ weight.T
