"""Chooses and calibrates the intent model on examples that it was not fitted on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from operator import itemgetter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.head import Features, Head, Rows, softmax
from ml.novelty import Novelty
from ml.types import Progress, Vectors

FOLDS = 5
CROSS_VALIDATED = 3_000  # up to here every fold is held out once; with more, one fold tells enough
GAMMAS = (0.3, 0.6)
CS = (0.03, 0.1, 0.3)
NOTHING_BELOW = -1e30
UNTESTED = (0.3, 1.0)  # gamma and c where nothing can be held out
REJECTED = (0.02, 0.08)  # the share of in-scope texts that the threshold may turn away ...
FEW = 0.4  # ... and more with few examples, for the model of all is surer than those of some


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was chosen, and how logits and familiarity become confidence and scope."""

    gamma: float
    c: float
    temperature: float = 1.0
    logit: tuple[float, float] = (0.0, 1.0)  # mean and deviation over in-scope texts
    familiarity: tuple[float, float] = (0.0, 1.0)
    threshold: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    def score(self, logits: Vectors, familiarity: Vectors) -> Vectors:
        """float32[n], how surely in scope: both signs in units of their deviation, added."""
        logit = (logits.max(axis=1) - self.logit[0]) / self.logit[1]
        known = (familiarity - self.familiarity[0]) / self.familiarity[1]
        return np.asarray(logit + known, dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        pairs = {name: tuple(values[name]) for name in ("logit", "familiarity")}
        return cls(**{**values, **pairs})


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """What models say about rows they were not fitted on."""

    rows: Rows
    logits: Vectors
    familiarity: Vectors


def calibrate(
    vectors: Vectors, classes: Rows, *, count: int, seed: int, progress: Progress
) -> Calibration:
    """Chooses the kernel's width and the regularisation, and calibrates what they give."""
    sizes = {"examples": float(len(classes)), "classes": float(count)}
    folds = list(_folds(classes, seed))
    if not folds:
        return _uncalibrated(vectors, classes, count=count, seed=seed, sizes=sizes)
    rows = np.concatenate([held for _, held in folds])
    trials: list[tuple[tuple[float, float], float, float, Vectors]] = []
    for gamma in GAMMAS:
        features = Features(vectors, classes, gamma=gamma, seed=seed)
        for c in CS:
            logits = _hold_out(features, vectors, classes, folds, count=count, c=c)
            trials.append((_quality(logits, classes[rows]), gamma, c, logits))
            share = len(trials) / (len(GAMMAS) * len(CS) + 1)
            accuracy = trials[-1][0][0]
            progress(share, f"kernel {gamma}, C {c}: held-out accuracy {accuracy:.4f}")
    _, gamma, c, logits = max(trials, key=itemgetter(0))
    held = _HeldOut(rows, logits, _familiarity(vectors, classes, folds))
    unknown = _hold_classes_out(vectors, classes, count=count, gamma=gamma, c=c, seed=seed)
    calibration = _calibrate(held, unknown, classes, gamma=gamma, c=c, sizes=sizes)
    progress(1.0, f"held-out accuracy {calibration.metrics['accuracy']:.4f}")
    return calibration


def _folds(classes: Rows, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """(fitted on, held out) pairs of rows; the only example of a class is never held out."""
    order = np.random.default_rng(seed).permutation(len(classes))
    place = np.empty(len(classes), dtype=np.intp)
    by_class = order[np.argsort(classes[order], kind="stable")]
    counts = np.bincount(classes)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    place[by_class] = (np.arange(len(classes)) - starts) % FOLDS
    place[counts[classes] == 1] = FOLDS
    for fold in range(FOLDS if len(classes) <= CROSS_VALIDATED else 1):
        if (place == fold).any():
            yield np.flatnonzero(place != fold), np.flatnonzero(place == fold)


def _hold_out(
    features: Features,
    vectors: Vectors,
    classes: Rows,
    folds: list[tuple[Rows, Rows]],
    *,
    count: int,
    c: float,
) -> Vectors:
    """The held-out rows' logits."""
    logits = [
        Head.on(features, fitted, classes, count=count, c=c).logits(vectors[held])
        for fitted, held in folds
    ]
    return np.concatenate(logits)


def _familiarity(vectors: Vectors, classes: Rows, folds: list[tuple[Rows, Rows]]) -> Vectors:
    return np.concatenate(
        [
            Novelty.fit(vectors[fitted], classes[fitted]).familiarity(vectors[held])
            for fitted, held in folds
        ]
    )


def _hold_classes_out(
    vectors: Vectors, classes: Rows, *, count: int, gamma: float, c: float, seed: int
) -> _HeldOut | None:
    """Whole classes that a model never saw: what it says about them it will say of the unknown."""
    if count < 4:
        return None  # what is left of so few says nothing about the model of all
    order = np.random.default_rng(seed).permutation(count)
    rows, logits, familiarity = [], [], []
    for part in range(FOLDS if len(classes) <= CROSS_VALIDATED else 1):
        held = np.isin(classes, order[part::FOLDS])
        if not held.any():
            continue
        fitted = np.flatnonzero(~held)
        head = Head.fit(vectors[fitted], classes[fitted], count=count, gamma=gamma, c=c, seed=seed)
        rows.append(np.flatnonzero(held))
        logits.append(head.logits(vectors[held]))
        known = Novelty.fit(vectors[fitted], classes[fitted])
        familiarity.append(known.familiarity(vectors[held]))
    return _HeldOut(np.concatenate(rows), np.concatenate(logits), np.concatenate(familiarity))


def _calibrate(
    held: _HeldOut,
    unknown: _HeldOut | None,
    classes: Rows,
    *,
    gamma: float,
    c: float,
    sizes: dict[str, float],
) -> Calibration:
    truth = classes[held.rows]
    temperature = _temperature(held.logits, truth)
    draft = Calibration(
        gamma,
        c,
        temperature,
        logit=_spread(held.logits.max(axis=1)),
        familiarity=_spread(held.familiarity),
    )
    known = draft.score(held.logits, held.familiarity)
    strange = None if unknown is None else draft.score(unknown.logits, unknown.familiarity)
    threshold = _threshold(known, strange, shots=sizes["examples"] / sizes["classes"])
    chances = softmax(held.logits / temperature)
    guesses = chances.argmax(axis=1)
    figures = sizes | {
        "accuracy": metrics.accuracy(truth.tolist(), guesses.tolist()),
        "macro_f1": metrics.macro_f1(truth.tolist(), guesses.tolist()),
        "ece": metrics.ece(chances.max(axis=1), guesses == truth),
        "in_scope_recall": float((known >= threshold).mean()),
    }
    if strange is not None:
        figures["oos_auroc"] = metrics.auroc(known, strange)
        figures["oos_recall"] = float((strange < threshold).mean())
    return Calibration(
        gamma, c, temperature, draft.logit, draft.familiarity, threshold, metrics=figures
    )


def _uncalibrated(
    vectors: Vectors, classes: Rows, *, count: int, seed: int, sizes: dict[str, float]
) -> Calibration:
    """One example for each class: there is only what the unknown looks like to go by.

    A text is in scope when it is more like an example than most examples are like the others. With
    fewer than four of them nothing is turned away.
    """
    gamma, c = UNTESTED
    unknown = _hold_classes_out(vectors, classes, count=count, gamma=gamma, c=c, seed=seed)
    if unknown is None:
        return Calibration(gamma, c, threshold=NOTHING_BELOW, metrics=dict(sizes))
    draft = Calibration(
        gamma,
        c,
        logit=_spread(unknown.logits.max(axis=1)),
        familiarity=_spread(unknown.familiarity),
    )
    threshold = float(np.quantile(draft.score(unknown.logits, unknown.familiarity), 0.75))
    return Calibration(
        gamma, c, 1.0, draft.logit, draft.familiarity, threshold, metrics=dict(sizes)
    )


def _quality(logits: Vectors, truth: Rows) -> tuple[float, float]:
    """Accuracy first, and among equals the likelihood."""
    chances = softmax(logits)[np.arange(len(truth)), truth]
    right = float((logits.argmax(axis=1) == truth).mean())
    return right, float(np.log(np.maximum(chances, 1e-12)).mean())


def _temperature(logits: Vectors, truth: Rows) -> float:
    """By what logits are divided so that the likelihood of the truth is greatest."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        chances = softmax(logits / np.exp(log_temperature))[np.arange(len(truth)), truth]
        return -float(np.log(np.maximum(chances, 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _threshold(known: Vectors, strange: Vectors | None, *, shots: float) -> float:
    """Where known and strange part best, turning away few of the known."""
    least, most = REJECTED
    low, high = np.quantile(known, [least, most + FEW / shots]).tolist()
    if strange is None:
        return float(low + high) / 2
    steps = np.linspace(low, high, 50)
    gains = [(known >= t).mean() + (strange < t).mean() for t in steps]
    return float(steps[int(np.argmax(gains))])


def _spread(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    deviation = float(values.std())
    return float(values.mean()), deviation if deviation > 1e-6 else 1.0
