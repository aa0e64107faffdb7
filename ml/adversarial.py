"""Losses on inputs that were moved to where the classifier is weakest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ml.classifier import Classifier
    from ml.course import Batch

EPSILON = 1.0  # how far, in units of the mean length of a batch's token vectors
WEIGHT = 0.5


def attack(classifier: Classifier, batch: Batch) -> torch.Tensor:
    """The classification's loss where each text's token vectors are moved against it: a scalar.

    The fast gradient method on embeddings (Miyato et al. 2017, arXiv:1605.07725). Takes a second
    and a third pass, so that a step costs three times as much.
    """
    import torch
    from torch.nn.functional import cross_entropy

    trainee = classifier.trainee
    words = trainee.embeddings(batch.ids).detach().float().requires_grad_()
    logits = classifier.logits(trainee.embed_words(words, batch.mask))
    (gradient,) = torch.autograd.grad(cross_entropy(logits, batch.classes), words)
    length = gradient.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
    far = EPSILON * words.detach().norm(dim=2, keepdim=True).mean()
    moved = words.detach() + far * gradient / length
    logits = classifier.logits(trainee.embed_words(moved, batch.mask))
    return WEIGHT * cross_entropy(logits, batch.classes)
