"""Two readings of one text are to say the same: with other dropout, and as a hurried customer types."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml import augment

if TYPE_CHECKING:
    import torch

    from ml.classifier import Classifier
    from ml.course import Batch

WEIGHT = 2.0
MISWRITTEN = 0.5  # of the second readings: a character says more than a letter


class Agreement:
    """R-Drop (Liang et al. 2021, arXiv:2106.14448), the second reading with new typing errors.

    The loss of the second reading's classification, and the divergence of both readings' chances in
    both directions. A step costs twice as much. Homophones are in half of the second readings; without
    kinds of errors dropout alone tells the two readings apart.
    """

    def __init__(
        self, texts: Sequence[str], kinds: Sequence[augment.Kind], *, smoothing: float, seed: int
    ) -> None:
        self._texts, self._kinds = texts, kinds
        self._smoothing, self._seed = smoothing, seed

    def __call__(self, classifier: Classifier, batch: Batch) -> torch.Tensor:
        """A scalar."""
        import torch
        from torch.nn.functional import kl_div

        second = classifier.logits(self._read(classifier, batch))
        loss = batch.loss(second, self._smoothing)
        one, other = torch.log_softmax(batch.logits, 1), torch.log_softmax(second, 1)
        apart = kl_div(one, other, log_target=True, reduction="batchmean")
        apart = apart + kl_div(other, one, log_target=True, reduction="batchmean")
        return loss + WEIGHT * apart / 2

    def _read(self, classifier: Classifier, batch: Batch) -> torch.Tensor:
        trainee = classifier.trainee
        if not self._kinds:
            return trainee.embed(batch.ids, batch.mask)
        # The same after a resumed training, and others each time.
        rng = random.Random(self._seed * 1_000_003 + batch.step)  # noqa: S311 - no secret
        return trainee.vectors([self._mistype(self._texts[row], rng) for row in batch.rows])

    def _mistype(self, text: str, rng: random.Random) -> str:
        right = rng.random() >= MISWRITTEN
        kinds = [kind for kind in self._kinds if not (right and kind == "homophones")]
        return augment.mistype(text, kinds, rng)
