"""The training steps of the sequence model."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ml.recommend.network import Network
from ml.recommend.plan import Settings
from ml.recommend.sequences import Sequences, gap_classes

WHOLE_BELOW = 20_000  # items that the softmax goes over all of; above, over a sample of them
SAMPLE = 8_192
WARM_UP = 100  # steps
STEPS, FEWEST = 20, 64  # of an epoch at least, in a small shop; and events in a step


@dataclass(frozen=True, slots=True)
class Batch:
    """Histories side by side, padded at the end; `weights` is 0 where nothing is to be predicted."""

    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    gaps: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float32]


class Training:
    """One network's training on one set of sequences."""

    def __init__(
        self,
        network: Network,
        sequences: Sequences,
        wanted: NDArray[np.float32],
        settings: Settings,
        *,
        seed: int,
    ) -> None:
        self._network = network
        self._sequences = sequences
        self._wanted = wanted
        self._settings = settings
        self._tokens = min(settings.tokens, max(FEWEST, len(sequences.items) // STEPS))
        self._random = np.random.default_rng(seed)
        self._optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings.rate, weight_decay=settings.decay
        )
        self._steps = 0
        self.seen = 0  # events

    def epoch(self) -> float:
        """Trains on every customer once; returns the mean loss."""
        self._network.train()
        losses = []
        for slices in self._sequences.batches(
            longest=self._settings.longest + 1, tokens=self._tokens, random=self._random
        ):
            batch = self._batch(slices)
            loss = self._loss(batch)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
            self._pace()
            self._optimizer.step()
            losses.append(float(loss.detach()))
            self.seen += int((batch.weights > 0).sum())
        return float(np.mean(losses)) if losses else 0.0

    def _pace(self) -> None:
        self._steps += 1
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.rate * min(1.0, self._steps / WARM_UP)

    def _batch(self, slices: list[slice]) -> Batch:
        length = max(part.stop - part.start for part in slices) - 1
        shape = (len(slices), length)
        items, kinds, gaps, targets = (np.zeros(shape, dtype=np.int64) for _ in range(4))
        weights = np.zeros(shape, dtype=np.float32)
        whole = self._sequences
        for row, part in enumerate(slices):
            size = part.stop - part.start - 1
            items[row, :size] = whole.items[part][:-1]
            kinds[row, :size] = whole.kinds[part][:-1]
            gaps[row, :size] = gap_classes(np.diff(whole.days[part]))
            targets[row, :size] = whole.items[part][1:]
            weights[row, :size] = self._wanted[whole.kinds[part][1:]]
        return Batch(items, kinds, gaps, targets, weights)

    def _loss(self, batch: Batch) -> Tensor:
        network, device = self._network, self._network.own.device
        keep = None
        if network.text is not None and self._settings.id_dropout:
            known = self._random.random(network.shape.items) >= self._settings.id_dropout
            keep = torch.from_numpy(known).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            vectors = network.vectors(keep)
            events = vectors[torch.from_numpy(batch.items).to(device)]
            hidden = network(
                events,
                torch.from_numpy(batch.kinds).to(device),
                torch.from_numpy(batch.gaps).to(device),
            )
            chosen = torch.from_numpy(batch.weights > 0).to(device)
            read = network.dropout(hidden[chosen])
            targets = torch.from_numpy(batch.targets[batch.weights > 0]).to(device)
            losses = self._cross_entropy(read, vectors, targets)
        weights = torch.from_numpy(batch.weights[batch.weights > 0]).to(device)
        return (losses * weights).sum() / weights.sum()

    def _cross_entropy(self, read: Tensor, vectors: Tensor, targets: Tensor) -> Tensor:
        """float[targets], over all items or, where those are many, over the targets and a sample.

        The sample is uniform: each sampled item stands for as many as it was drawn from
        (the correction of Bengio and Senécal 2008).
        """
        if len(vectors) <= WHOLE_BELOW:
            return functional.cross_entropy((read @ vectors.T).float(), targets, reduction="none")
        sample = torch.from_numpy(self._random.choice(len(vectors), SAMPLE, replace=False)).to(
            targets.device
        )
        logits = (read @ vectors[sample].T).float() + float(np.log(len(vectors) / SAMPLE))
        logits = logits.masked_fill(sample[None, :] == targets[:, None], float("-inf"))
        right = (read * vectors[targets]).sum(dim=1, keepdim=True).float()
        return torch.logsumexp(torch.cat([right, logits], dim=1), dim=1) - right[:, 0]
