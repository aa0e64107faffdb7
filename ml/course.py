"""One training of a classifier: batches, losses, averaged weights, early stopping, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ml.checkpoint import Checkpoint
from ml.classifier import Classifier
from ml.config import Config
from ml.head import Rows
from ml.types import Progress, Tensors, Vectors

if TYPE_CHECKING:
    import torch

MOMENTS = ("exp_avg", "exp_avg_sq")  # what AdamW keeps of each parameter
TOKENS = 2_048  # that go through the encoder at once, padding among them: less than a gigabyte
BUCKET = 64  # batches that are sorted by length together: a tenth less padding than in 16


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is taught: token ids, their classes, how much each counts, and where training begins.

    `texts` are those of the tokens, `vectors` float32[n, d] the tokens' before it. Of the last rows
    the class is only guessed: `soft` is float32[m, classes], its chances. `margins` are those of
    `ml.continual`, float32[classes, classes].
    """

    texts: list[str]
    tokens: list[list[int]]
    classes: Rows
    weights: Vectors
    vectors: Vectors
    soft: Vectors | None = None
    margins: Vectors | None = None

    def targets(self, rows: Rows, count: int) -> Vectors:
        """float32[rows, count]."""
        targets = np.eye(count, dtype=np.float32)[self.classes[rows]]
        if self.soft is not None:
            guessed = rows - (len(self.tokens) - len(self.soft))
            targets[guessed >= 0] = self.soft[guessed[guessed >= 0]]
        return targets

    def ahead(self, rows: Rows) -> Vectors:
        """float32[rows, classes], or [rows, 1] of nothing: the margins of their classes."""
        if self.margins is None:
            return np.zeros((len(rows), 1), dtype=np.float32)
        return self.margins[self.classes[rows]]


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's part of a lesson, on the device, with what the classifier makes of it.

    `rows` are the lesson's, `targets` float32[n, classes] the chances that it teaches, `margins`
    float32[n, classes] what the other classes are given ahead.
    """

    rows: list[int]
    ids: torch.Tensor
    mask: torch.Tensor
    classes: torch.Tensor
    targets: torch.Tensor
    margins: torch.Tensor
    weights: torch.Tensor
    vectors: torch.Tensor
    logits: torch.Tensor
    step: int

    def loss(self, logits: torch.Tensor, smoothing: float) -> torch.Tensor:
        """The classification's: a scalar."""
        import torch

        losses = torch.nn.functional.cross_entropy(
            logits + self.margins, self.targets, label_smoothing=smoothing, reduction="none"
        )
        return (losses * self.weights).mean()


Term = Callable[[Classifier, Batch], "torch.Tensor"]
"""A further loss, added to the classification's: a scalar."""


@dataclass(slots=True)
class Progressed:
    """Where a training stands."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = 0.0
    best: float = -1.0
    best_epoch: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)


class Course:
    """Trains a classifier in place; `exam` are held-out examples that tell when to stop.

    The last weights are kept whose accuracy on the exam is within one standard error of the best.

    Weights are averaged over the last steps (an exponential moving average, as in Polyak and
    Juditsky 1992), which is as good as a longer training at a falling rate. Every process of
    `accelerate launch` takes its part of each batch; gradients, few as they are, are averaged here
    and not by a wrapper, so that a loss may run the encoder as often as it likes.
    """

    def __init__(
        self,
        classifier: Classifier,
        lesson: Lesson,
        exam: Lesson | None,
        *,
        config: Config,
        epochs: int,
        terms: Sequence[Term] = (),
        checkpoint: Checkpoint,
        progress: Progress,
    ) -> None:
        import torch
        from accelerate import Accelerator

        self._classifier, self._lesson, self._exam = classifier, lesson, exam
        self._config, self._epochs, self._terms = config, epochs, terms
        self._checkpoint, self._progress = checkpoint, progress
        self._accelerator = Accelerator(
            cpu=classifier.trainee.device.type == "cpu",
            gradient_accumulation_steps=config.accumulate,
        )
        batches = -(-len(lesson.tokens) // config.batch)
        self._total = max(1, epochs * -(-batches // config.accumulate))
        self._parameters = classifier.trained()
        optimizer = torch.optim.AdamW(
            self._parameters.values(), lr=config.rate, weight_decay=config.decay
        )
        self._optimizer = optimizer
        self._average = {n: p.detach().clone() for n, p in self._parameters.items()}
        self._state = Progressed()
        self._best: Tensors = {}

    def run(self) -> Progressed:
        """Trains to the end or until nothing gets better; the best weights are left in place."""
        self._resume()
        model, state = self._classifier.trainee.model, self._state
        while state.epoch < self._epochs and not self._finished():
            model.train()
            batches = list(self._batches(state.epoch))
            for number in range(state.batch, len(batches)):
                self._learn(batches[number], last=number + 1 == len(batches))
                state.batch = number + 1
                share = (state.epoch + state.batch / len(batches)) / self._epochs
                self._progress(share, f"epoch {state.epoch + 1}, batch {state.batch}")
                if state.batch % self._config.accumulate == 0 and self._checkpoint.due():
                    self._save(share)
            self._close(len(batches))
        if self._best:
            self._classifier.restore(self._best)
        else:
            self._classifier.restore(_numpy(self._average))
        model.eval()
        return state

    def _learn(self, rows: Rows, *, last: bool) -> None:
        import torch

        accelerator, state, trainee = self._accelerator, self._state, self._classifier.trainee
        # Reseeded at each step, a training that goes on from a checkpoint draws the same dropout.
        torch.manual_seed(self._config.seed * 1_000_003 + state.epoch * 10_007 + state.batch)
        rows = rows[accelerator.process_index :: accelerator.num_processes]
        for part in self._parts(rows):
            ids, mask = trainee.batch([self._lesson.tokens[row] for row in part])
            loss = self._loss(part, ids, mask) * (len(part) / len(rows))
            (loss / self._config.accumulate).backward()  # type: ignore[no-untyped-call]
            state.loss += float(loss.detach())
        if last or (state.batch + 1) % self._config.accumulate == 0:
            self._step()

    def _parts(self, rows: Rows) -> list[Rows]:
        """A batch in parts that fit into memory: long texts are learned few at a time."""
        longest = max((len(self._lesson.tokens[row]) for row in rows), default=0)
        return np.array_split(rows, -(-longest * len(rows) // TOKENS)) if len(rows) else []

    def _loss(self, rows: Rows, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        import torch

        classes = torch.from_numpy(self._lesson.classes[rows]).to(ids.device)
        weights = torch.from_numpy(self._lesson.weights[rows]).to(ids.device)
        vectors = self._classifier.trainee.embed(ids, mask)
        logits = self._classifier.logits(vectors)
        targets = torch.from_numpy(self._lesson.targets(rows, logits.shape[1])).to(ids.device)
        margins = torch.from_numpy(self._lesson.ahead(rows)).to(ids.device)
        batch = Batch(
            *(rows.tolist(), ids, mask, classes, targets, margins, weights, vectors, logits),
            step=self._state.step,
        )
        loss = batch.loss(logits, self._config.smoothing)
        for term in self._terms:
            loss = loss + term(self._classifier, batch)
        return loss

    def _step(self) -> None:
        import torch

        parameters = self._parameters.values()
        for parameter in parameters:
            if parameter.grad is not None and self._accelerator.num_processes > 1:
                parameter.grad = self._accelerator.reduce(parameter.grad, reduction="mean")
        torch.nn.utils.clip_grad_norm_(parameters, self._config.clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.rate * self._slope()
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._state.step += 1
        # At the start there is little to average over yet.
        keep = min(self._config.average, self._state.step / (10 + self._state.step))
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                self._average[name].lerp_(parameter.detach(), 1 - keep)

    def _slope(self) -> float:
        """The share of the learning rate: up in the warm-up, then straight down to nothing."""
        step, rising = self._state.step, max(1, int(self._config.warmup * self._total))
        if step < rising:
            return (step + 1) / rising
        return max(0.0, (self._total - step) / max(1, self._total - rising))

    def _close(self, batches: int) -> None:
        """Ends an epoch: examines what the averaged weights make of the held-out part."""
        state = self._state
        point = {"epoch": float(state.epoch + 1), "loss": state.loss / max(1, batches)}
        if self._exam is not None:
            point["accuracy"] = self._examine(self._exam)
        state.curve.append(point)
        state.epoch, state.batch, state.loss = state.epoch + 1, 0, 0.0
        share = state.epoch / self._epochs
        told = f", held-out accuracy {point['accuracy']:.4f}" if "accuracy" in point else ""
        self._progress(share, f"epoch {state.epoch}: loss {point['loss']:.4f}{told}")
        self._save(share)

    def _examine(self, exam: Lesson) -> float:
        current, state = self._classifier.state(), self._state
        average = _numpy(self._average)
        self._classifier.restore(average)
        _, logits = self._classifier.score(exam.tokens)
        accuracy = float((logits.argmax(axis=1) == exam.classes).mean())
        # By one standard error (Breiman et al. 1984): what lies nearer together differs by chance,
        # and then the later has learned longer.
        error = (accuracy * (1 - accuracy) / len(exam.tokens)) ** 0.5
        if accuracy >= state.best - error:
            state.best_epoch, self._best = state.epoch + 1, average
        state.best = max(state.best, accuracy)
        self._classifier.restore(current)
        return accuracy

    def _finished(self) -> bool:
        patient = self._state.epoch - self._state.best_epoch < self._config.patience
        return self._exam is not None and not patient

    def _batches(self, epoch: int) -> Iterator[Rows]:
        """Rows of similar length together, in an order that the seed and the epoch give."""
        rng = np.random.default_rng([self._config.seed, epoch])
        size = self._config.batch
        lengths = np.asarray([len(ids) for ids in self._lesson.tokens])
        order = rng.permutation(len(lengths))
        batches = []
        for start in range(0, len(order), BUCKET * size):
            part = order[start : start + BUCKET * size]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches += [part[at : at + size] for at in range(0, len(part), size)]
        return (batches[at] for at in rng.permutation(len(batches)))

    def _save(self, share: float) -> None:
        if not self._accelerator.is_main_process:
            return
        tensors: Tensors = {f"now.{n}": t for n, t in self._classifier.state().items()}
        tensors |= {f"average.{n}": t for n, t in _numpy(self._average).items()}
        tensors |= {f"best.{n}": t for n, t in self._best.items()}
        for name, parameter in self._parameters.items():
            moments = self._optimizer.state[parameter]
            tensors |= {f"{part}.{name}": moments[part].cpu().numpy() for part in MOMENTS}
        self._checkpoint.save(share, tensors, asdict(self._state))

    def _resume(self) -> None:
        import torch

        found = self._checkpoint.load()
        if found is None:
            return
        tensors, state = found
        self._state = Progressed(**state)
        self._classifier.restore(_part(tensors, "now."))
        self._best = _part(tensors, "best.")
        for name, parameter in self._parameters.items():
            self._average[name].copy_(torch.from_numpy(tensors[f"average.{name}"]))
            moments = {part: torch.from_numpy(tensors[f"{part}.{name}"]) for part in MOMENTS}
            self._optimizer.state[parameter] = {
                "step": torch.tensor(float(self._state.step)),
                **{part: value.to(parameter.device) for part, value in moments.items()},
            }
        self._progress(self._state.epoch / self._epochs, f"going on after step {self._state.step}")


def _part(tensors: Tensors, prefix: str) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _numpy(tensors: dict[str, torch.Tensor]) -> Tensors:
    return {name: t.detach().float().cpu().numpy().copy() for name, t in tensors.items()}
