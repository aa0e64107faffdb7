"""Chooses and calibrates the intent model on examples that it was not fitted on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from operator import itemgetter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.familiarity import Familiarity
from ml.head import Features, Head, Rows, softmax
from ml.types import Progress, Vectors

FOLDS = 5
CROSS_VALIDATED = 3_000  # up to here every fold is held out once; with more, one fold tells enough
GAMMAS = (0.3, 0.6)
CS = (0.03, 0.1, 0.3)
NOTHING_BELOW = -1e30
OUTLIERS = (0.0, 0.25, 0.5, 1.0)
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
    familiarity: tuple[tuple[float, float], ...] = ((0.0, 1.0),)  # the same of every sign
    outliers: float = 1.0  # how much the border to talk about other things counts
    threshold: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)

    def score(self, logits: Vectors, signs: Vectors) -> Vectors:
        """float32[n], how surely in scope: all signs in units of their deviation, added."""
        logit = (logits.max(axis=1) - self.logit[0]) / self.logit[1]
        means, deviations = np.transpose(self.familiarity)
        weights = (1.0, self.outliers)[: signs.shape[1]]
        known = ((signs - means) / deviations * weights).sum(axis=1)
        return np.asarray(logit + known, dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        familiarity = tuple(tuple(pair) for pair in values["familiarity"])
        return cls(**{**values, "logit": tuple(values["logit"]), "familiarity": familiarity})


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """What models say about texts they were not fitted on."""

    logits: Vectors
    signs: Vectors


@dataclass(frozen=True, slots=True)
class _Unknown:
    """The same for what is no intent: whole intents held out, and talk about other things."""

    classes: _HeldOut | None
    background: _HeldOut | None

    def parts(self) -> dict[str, _HeldOut]:
        named = {"oos": self.classes, "background": self.background}
        return {name: part for name, part in named.items() if part is not None}


def calibrate(
    vectors: Vectors,
    classes: Rows,
    background: Vectors | None,
    *,
    count: int,
    seed: int,
    progress: Progress,
) -> Calibration:
    """Chooses the kernel's width and the regularisation, and calibrates what they give."""
    sizes = {"examples": float(len(classes)), "classes": float(count)}
    folds = list(_folds(classes, seed))
    if not folds:
        return _uncalibrated(vectors, classes, background, count=count, seed=seed, sizes=sizes)
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
    held = _HeldOut(logits, _signs(vectors, classes, folds, background))
    unknown = _hold_unknown_out(
        vectors, classes, background, count=count, gamma=gamma, c=c, seed=seed
    )
    calibration = _calibrate(held, unknown, classes[rows], gamma=gamma, c=c, sizes=sizes)
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


def _signs(
    vectors: Vectors,
    classes: Rows,
    folds: list[tuple[Rows, Rows]],
    background: Vectors | None,
) -> Vectors:
    return np.concatenate(
        [
            Familiarity.fit(vectors[fitted], classes[fitted], background).signs(vectors[held])
            for fitted, held in folds
        ]
    )


def _hold_unknown_out(
    vectors: Vectors,
    classes: Rows,
    background: Vectors | None,
    *,
    count: int,
    gamma: float,
    c: float,
    seed: int,
) -> _Unknown:
    """What models say about intents and about other talk that they never saw.

    What is left of fewer than four intents says nothing about the model of all: none is held out.
    """
    order = np.random.default_rng(seed).permutation(count)
    parts = FOLDS if len(classes) <= CROSS_VALIDATED else 1
    strangers: list[_HeldOut] = []
    others: list[_HeldOut] = []
    for part in range(parts):
        held = np.isin(classes, order[part::FOLDS]) & (count >= 4)
        fitted = np.flatnonzero(~held)
        talk = None if background is None else np.arange(len(background)) % FOLDS == part
        taught = None if background is None or talk is None else background[~talk]
        head = Head.fit(vectors[fitted], classes[fitted], count=count, gamma=gamma, c=c, seed=seed)
        familiarity = Familiarity.fit(vectors[fitted], classes[fitted], taught)
        if held.any():
            rows = vectors[held]
            strangers.append(_HeldOut(head.logits(rows), familiarity.signs(rows)))
        if background is not None and talk is not None:
            rows = background[talk]
            others.append(_HeldOut(head.logits(rows), familiarity.signs(rows)))
    return _Unknown(_joined(strangers), _joined(others))


def _joined(parts: list[_HeldOut]) -> _HeldOut | None:
    if not parts:
        return None
    return _HeldOut(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.signs for part in parts]),
    )


def _calibrate(
    held: _HeldOut,
    unknown: _Unknown,
    truth: Rows,
    *,
    gamma: float,
    c: float,
    sizes: dict[str, float],
) -> Calibration:
    temperature = _temperature(held.logits, truth)
    plain = Calibration(
        gamma, c, temperature, logit=_spread(held.logits.max(axis=1)), familiarity=_spreads(held)
    )
    draft = max(
        (replace(plain, outliers=weight) for weight in OUTLIERS),
        key=lambda trial: _parted(trial, held, unknown),
    )
    known = draft.score(held.logits, held.signs)
    strange = {name: draft.score(p.logits, p.signs) for name, p in unknown.parts().items()}
    threshold = _threshold(known, list(strange.values()), sizes["examples"] / sizes["classes"])
    chances = softmax(held.logits / temperature)
    guesses = chances.argmax(axis=1)
    figures = sizes | {
        "held_out": float(len(truth)),
        "accuracy": metrics.accuracy(truth.tolist(), guesses.tolist()),
        "macro_f1": metrics.macro_f1(truth.tolist(), guesses.tolist()),
        "ece": metrics.ece(chances.max(axis=1), guesses == truth),
        "in_scope_recall": float((known >= threshold).mean()),
    }
    for name, scores in strange.items():
        figures[f"{name}_auroc"] = metrics.auroc(known, scores)
        figures[f"{name}_recall"] = float((scores < threshold).mean())
    return replace(draft, threshold=threshold, metrics=figures)


def _parted(trial: Calibration, held: _HeldOut, unknown: _Unknown) -> float:
    """How well the score parts what is known from each kind of what is not: AUROCs, added."""
    known = trial.score(held.logits, held.signs)
    return sum(
        metrics.auroc(known, trial.score(part.logits, part.signs))
        for part in unknown.parts().values()
    )


def _uncalibrated(
    vectors: Vectors,
    classes: Rows,
    background: Vectors | None,
    *,
    count: int,
    seed: int,
    sizes: dict[str, float],
) -> Calibration:
    """One example for each class: there is only what the unknown looks like to go by.

    A text is in scope when it is more like an example than most examples are like the others. With
    fewer than four of them nothing is turned away.
    """
    gamma, c = UNTESTED
    unknown = _hold_unknown_out(
        vectors, classes, background, count=count, gamma=gamma, c=c, seed=seed
    ).classes
    if unknown is None:
        signs = 1 if background is None else 2
        return Calibration(
            gamma,
            c,
            familiarity=((0.0, 1.0),) * signs,
            threshold=NOTHING_BELOW,
            metrics=dict(sizes),
        )
    draft = Calibration(
        gamma, c, logit=_spread(unknown.logits.max(axis=1)), familiarity=_spreads(unknown)
    )
    threshold = float(np.quantile(draft.score(unknown.logits, unknown.signs), 0.75))
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


def _threshold(known: Vectors, strange: list[Vectors], shots: float) -> float:
    """Where known and each kind of strange part best, turning away few of the known."""
    least, most = REJECTED
    low, high = np.quantile(known, [least, most + FEW / shots]).tolist()
    if not strange:
        return float(low + high) / 2
    steps = np.linspace(low, high, 50)
    gains = [
        (known >= t).mean() * len(strange) + sum((part < t).mean() for part in strange)
        for t in steps
    ]
    return float(steps[int(np.argmax(gains))])


def _spreads(held: _HeldOut) -> tuple[tuple[float, float], ...]:
    return tuple(_spread(sign) for sign in held.signs.T)


def _spread(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    deviation = float(values.std())
    return float(values.mean()), deviation if deviation > 1e-6 else 1.0
