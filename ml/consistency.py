"""Two readings of one text with other dropout are to say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ml.classifier import Classifier
    from ml.course import Batch

SMOOTHING = 0.1
WEIGHT = 2.0


def agree(classifier: Classifier, batch: Batch) -> torch.Tensor:
    """R-Drop (Liang et al. 2021, arXiv:2106.14448): a scalar.

    The classification's loss of a second pass, and the divergence of both passes' chances in both
    directions. A step costs twice as much.
    """
    import torch
    from torch.nn.functional import cross_entropy, kl_div

    second = classifier.logits(classifier.trainee.embed(batch.ids, batch.mask))
    loss = cross_entropy(second, batch.classes, label_smoothing=SMOOTHING)
    one, other = torch.log_softmax(batch.logits, 1), torch.log_softmax(second, 1)
    apart = kl_div(one, other, log_target=True, reduction="batchmean")
    apart = apart + kl_div(other, one, log_target=True, reduction="batchmean")
    return loss + WEIGHT * apart / 2
