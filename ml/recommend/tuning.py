"""The shared encoder learns one catalog (LoRA): what is taken one after the other, its texts say."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.recommend.sequences import Sequences
from ml.types import Progress, Vectors

TOKENS = 48  # of an item's text: its title, brand and category
BATCH = 128  # items
EPOCHS = 3
STEPS = (60, 300)  # at least, in a small shop, and at most
TIMES = 8  # events in which an item of a batch was taken
LOOKED_BACK, FADING = 20, 0.8  # events before one, and how much each counts of the one after it
RATE, WARM_UP = 1e-3, 10
SHARPNESS = 12.0
FEWEST = 16  # items that are taken after others; of fewer there is nothing to be learned


def tuned(
    folder: Path,
    texts: Sequence[str],
    vectors: Vectors,
    sequences: Sequences,
    *,
    seed: int,
    progress: Progress,
) -> Vectors | None:
    """The texts' vectors, float32[items, d] of length one, by the encoder in `folder`, tuned.

    Each item of a batch is to be likest, among the batch, to what its takers had taken just before:
    in-batch negatives as in multiple negatives ranking (Henderson et al. 2017, arXiv:1705.00652),
    those befores being read with the vectors as they were last seen, `vectors` at first. So each
    text that is encoded learns of several events. None where too few items are taken after others.
    """
    import torch

    from ml.lora import Trainee

    events = _Events(sequences, seed=seed)
    if len(events.items) < FEWEST:
        return None
    trainee = Trainee.load(folder, seed=seed)
    tokens = [ids[:TOKENS] for ids in trainee.tokenize(texts, "passage")]
    known = vectors.copy()
    batches = events.batches()
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=RATE, weight_decay=0.01)
    trainee.model.train()
    for step, items in enumerate(batches):
        items = items[np.argsort([len(tokens[item]) for item in items], kind="stable")]
        before, right, barred = events.before(items, known - known.mean(axis=0))
        parts = np.array_split(items, 2)  # each padded to its own longest text
        live = torch.cat([trainee.embed(*trainee.batch([tokens[i] for i in p])) for p in parts])
        likeness = torch.from_numpy(before).to(live.device) @ live.T * SHARPNESS
        likeness = likeness.masked_fill(torch.from_numpy(barred).to(live.device), -1e4)
        targets = torch.from_numpy(right).to(live.device)
        losses = torch.nn.functional.cross_entropy(likeness, targets, reduction="none")
        weights = 1 / torch.bincount(targets)[targets].sqrt()
        loss = (losses * weights).sum() / weights.sum()
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP) * (1 - step / len(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        known[items] = live.detach().cpu().numpy()
        line = f"texts, step {step + 1} of {len(batches)}: loss {float(loss.detach()):.3f}"
        progress((step + 1) / len(batches), line)
    return trainee.encode_tokens(tokens)


class _Events:
    """Events that others came before, by their items."""

    def __init__(self, sequences: Sequences, *, seed: int) -> None:
        self._of = sequences.items
        self._random = np.random.default_rng(seed)
        count = len(self._of)
        owners = np.repeat(np.arange(len(sequences.starts) - 1), np.diff(sequences.starts))
        self._first = sequences.starts[owners]
        later = np.flatnonzero(np.arange(count) > self._first)
        self._later = later[np.argsort(self._of[later], kind="stable")]
        self.items, starts = np.unique(self._of[self._later], return_index=True)
        self._starts = dict(zip(self.items.tolist(), starts.tolist(), strict=True))
        ends = np.append(starts[1:], len(later))
        self._ends = dict(zip(self.items.tolist(), ends.tolist(), strict=True))

    def batches(self) -> list[NDArray[np.int64]]:
        """All items, in another order each time, as often as is worth it."""
        each = -(-len(self.items) // BATCH)
        steps = min(max(EPOCHS * each, STEPS[0]), STEPS[1])
        epochs = -(-steps // each)
        shuffled = [self._random.permutation(self.items) for _ in range(epochs)]
        return [batch for items in shuffled for batch in np.array_split(items, each)][:steps]

    def before(
        self, items: NDArray[np.int64], vectors: Vectors
    ) -> tuple[Vectors, NDArray[np.int64], NDArray[np.bool_]]:
        """Of some events of each of these items: float32[events, d], what came before; int64[events],
        the item's place; and bool[events, items], what of them had come before and is no negative."""
        chosen, right = [], []
        for place, item in enumerate(items.tolist()):
            some = self._later[self._starts[item] : self._ends[item]]
            if len(some) > TIMES:
                some = self._random.choice(some, TIMES, replace=False)
            chosen += some.tolist()
            right += [place] * len(some)
        before = np.zeros((len(chosen), vectors.shape[1]), dtype=np.float32)
        barred = np.zeros((len(chosen), len(items)), dtype=bool)
        for row, (event, place) in enumerate(zip(chosen, right, strict=True)):
            past = self._of[max(int(self._first[event]), event - LOOKED_BACK) : event][::-1]
            counts = FADING ** np.arange(len(past)) * (past != items[place])
            before[row] = counts / max(float(np.linalg.norm(counts)), 1e-9) @ vectors[past]
            barred[row] = np.isin(items, past)
            barred[row, place] = False
        return before, np.array(right, dtype=np.int64), barred
