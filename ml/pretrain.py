"""Self-supervised adaptation of the encoder to a tenant's own messages, before any label is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml.types import Progress

if TYPE_CHECKING:
    from ml.lora import Trainee

TEMPERATURE = 0.05
BATCH = 64
MOST = 4_000  # texts that are read; more of them hardly change what is learned
RATE = 3e-4


def adapt(trainee: Trainee, texts: Sequence[str], *, seed: int, progress: Progress) -> None:
    """Trains the low-rank matrices in place, one pass over the texts.

    Unsupervised SimCSE (Gao et al. 2021, arXiv:2104.08821): each text passes twice, with other
    dropout, and must find itself among the others of its batch. Fewer than two different texts
    teach nothing and change nothing.
    """
    import torch

    rng = np.random.default_rng(seed)
    unique = list(dict.fromkeys(texts))
    tokens = trainee.tokenize([unique[row] for row in rng.permutation(len(unique))[:MOST]])
    tokens.sort(key=len)
    batches = [tokens[at : at + BATCH] for at in range(0, len(tokens), BATCH)]
    batches = [batch for batch in batches if len(batch) > 1]
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=RATE, weight_decay=0.0)
    torch.manual_seed(seed)
    trainee.model.train()
    for number, at in enumerate(rng.permutation(len(batches))):
        ids, mask = trainee.batch(batches[at])
        first, second = trainee.embed(ids, mask), trainee.embed(ids, mask)
        own = torch.arange(len(ids), device=ids.device)
        loss = torch.nn.functional.cross_entropy(first @ second.T / TEMPERATURE, own)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        progress((number + 1) / len(batches), f"adapting, batch {number + 1} of {len(batches)}")
    trainee.model.eval()
