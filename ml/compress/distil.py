"""A small encoder taught to give the vectors of a larger one.

The student learns the teacher's vectors themselves (cosine) and how alike the teacher finds every
two texts of a batch (Park et al. 2019, arXiv:1904.05068). Where their widths differ, the vectors are
compared through a linear map that is learned too and not kept; the likeness needs none.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml import weights
from ml.compress import folder, prune
from ml.encoder import Encoder, clean, load_model, load_tokenizer
from ml.errors import DataError
from ml.types import Progress

if TYPE_CHECKING:
    import torch

BATCH = 32
MAX_TOKENS = 96
RELATION = 10.0  # the likeness' share of the loss; its differences are small numbers


def distil(
    teacher: Encoder,
    student: Path,
    out: Path,
    texts: Sequence[str],
    *,
    layers: int | None = None,
    epochs: int = 1,
    rate: float = 1e-4,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Writes the encoder of `student`, cut to so many layers and taught by `teacher` on `texts`.

    Raises `DataError` where there are fewer than two texts, `WeightsError` as the folders demand.
    """
    folder.check_free(out)
    model = load_model(student, "float32")
    if layers is not None:
        prune.drop_layers(model, layers)
    teach(model, student, teacher, texts, epochs=epochs, rate=rate, seed=seed, progress=progress)
    folder.save(model, student, out)


def teach(
    model: Any,
    source: Path,
    teacher: Encoder,
    texts: Sequence[str],
    *,
    epochs: int = 1,
    rate: float = 1e-4,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Trains the layers of `model`, whose tokenizer and recipe are in `source`, in place.

    The table of word pieces stays as it is: few texts know few of its rows.
    """
    import torch

    if len(texts) < 2:
        raise DataError("there are fewer than two texts to learn from; give a file with more lines")
    say = progress or _silent
    target = teacher.encode(texts, progress=lambda share, m: say(0.3 * share, f"teacher {m}"))
    torch.manual_seed(seed)
    lesson = _Lesson(model, source, torch.from_numpy(target))
    tokens = lesson.tokenize(texts)
    optimizer = torch.optim.AdamW(lesson.parameters(), lr=rate)
    steps = epochs * -(-len(texts) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=steps + 1, pct_start=0.1
    )
    rng, step = random.Random(seed), 0  # noqa: S311 - repeatable, no secret
    for _ in range(epochs):
        rows = rng.sample(range(len(texts)), len(texts))
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            loss = lesson.loss([tokens[row] for row in batch], batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            step += 1
            if step % 20 == 0 or step == steps:
                say(0.3 + 0.7 * step / steps, f"step {step} of {steps}, loss {loss.item():.4f}")
    model.eval().requires_grad_(False)


class _Lesson:
    """The student with what it is to give."""

    def __init__(self, model: Any, source: Path, target: torch.Tensor) -> None:
        import torch

        self._model = model.train().requires_grad_(True)
        model.get_input_embeddings().requires_grad_(False)
        self._recipe = weights.recipe(source)
        self._tokenizer, self._pad = load_tokenizer(source, model.config)
        self._tokenizer.enable_truncation(min(MAX_TOKENS, model.config.max_position_embeddings))
        self._target = target
        width, wanted = model.config.hidden_size, target.shape[1]
        self._map: Any = (
            torch.nn.Identity() if width == wanted else torch.nn.Linear(width, wanted, bias=False)
        )

    def parameters(self) -> list[torch.nn.Parameter]:
        both = [*self._model.parameters(), *self._map.parameters()]
        return [p for p in both if p.requires_grad]

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        cleaned = [self._recipe.query + clean(text) for text in texts]
        return [e.ids for e in self._tokenizer.encode_batch_fast(cleaned)]

    def loss(self, tokens: list[list[int]], rows: list[int]) -> torch.Tensor:
        import torch

        longest = max(map(len, tokens))
        ids = torch.tensor([t + [self._pad] * (longest - len(t)) for t in tokens])
        mask = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in tokens])
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        cls = self._recipe.pooling == "cls"
        pooled = states[:, 0] if cls else (states * mask[:, :, None]).sum(1)
        found = torch.nn.functional.normalize(pooled, dim=1)
        wanted = self._target[rows]
        mapped = torch.nn.functional.normalize(self._map(found), dim=1)
        likeness = torch.nn.functional.mse_loss(found @ found.T, wanted @ wanted.T)
        return (1 - (mapped * wanted).sum(1)).mean() + RELATION * likeness


def _silent(share: float, message: str) -> None:
    """Progress that nobody asked for."""
