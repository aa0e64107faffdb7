"""How logits and familiarity become confidence and scope, settled on held-out examples."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.evidence import Evidence
from ml.head import Rows, softmax
from ml.types import Vectors

OUTLIERS = (0.0, 0.25, 0.5, 1.0)
SHARES = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)  # of the spelling's margins beside the logits
INSTANT = (0.0, 0.25, 0.5, 1.0, 1.5)  # of an instant head's logits beside a tuned one's
REJECTED = (0.02, 0.08)  # the share of in-scope texts that the threshold may turn away ...
TELLING = 20  # texts let through, from which on their precision means something
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
    spelling: float = 0.0  # how much its margins count beside the logits; 0: there is none
    instant: float = 0.0  # how much an instant head counts beside a tuned one
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
class Aim:
    """What the threshold is to keep to, by what the held-out texts say. Shares, 0..1.

    `recall` is the least share of in-scope texts that is let through, None for what suits the number
    of examples. `precision` is the least share of those let through that get the right intent: where
    a higher threshold is needed for it, more is turned away than `recall` says.
    """

    recall: float | None = None
    precision: float | None = None


ANY = Aim()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models say about texts they were not fitted on.

    `margins` are the spelling's (`ml.spelling`), None where there is none.
    """

    logits: Vectors
    signs: Vectors
    margins: Vectors | None = None

    def answers(self, spelling: float) -> Vectors:
        """The logits with so much of the spelling's margins."""
        if self.margins is None:
            return self.logits
        return np.asarray(self.logits + spelling * self.margins, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The same for what is no intent: whole intents held out, and talk about other things."""

    classes: HeldOut | None
    background: HeldOut | None

    def parts(self) -> dict[str, HeldOut]:
        named = {"oos": self.classes, "background": self.background}
        return {name: part for name, part in named.items() if part is not None}


def joined(parts: list[HeldOut]) -> HeldOut | None:
    if not parts:
        return None
    return HeldOut(
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.signs for part in parts]),
    )


def settle(
    held: HeldOut,
    unknown: Unknown,
    truth: Rows,
    *,
    mistyped: Sequence[HeldOut] = (),
    gamma: float,
    c: float,
    sizes: dict[str, float],
    aim: Aim = ANY,
) -> Calibration:
    """`mistyped` is what was held out with typing errors: how much the spelling counts suits both."""
    spelling = _spelling([held, *mistyped], truth)
    temperature = _cooled(held.answers(spelling), truth)[1]
    plain = Calibration(
        gamma,
        c,
        temperature,
        logit=spread(held.logits.max(axis=1)),
        familiarity=spreads(held),
        spelling=spelling,
    )
    draft = max(
        (replace(plain, outliers=weight) for weight in OUTLIERS),
        key=lambda trial: _parted(trial, held, unknown),
    )
    known = draft.score(held.logits, held.signs)
    strange = {name: draft.score(p.logits, p.signs) for name, p in unknown.parts().items()}
    most = REJECTED[1] + FEW / (sizes["examples"] / sizes["classes"])
    if aim.recall is not None:
        most = 1 - aim.recall
    chances = softmax(held.answers(spelling) / temperature)
    guesses = chances.argmax(axis=1)
    threshold = _threshold(known, list(strange.values()), most)
    if aim.precision is not None:
        threshold = max(threshold, _precise(known, guesses == truth, aim.precision))
    figures = sizes | {
        "held_out": float(len(truth)),
        "accuracy": metrics.accuracy(truth.tolist(), guesses.tolist()),
        "macro_f1": metrics.macro_f1(truth.tolist(), guesses.tolist()),
        "ece": metrics.ece(chances.max(axis=1), guesses == truth),
        "in_scope_recall": float((known >= threshold).mean()),
    }
    if (known >= threshold).any():
        figures["precision"] = float((guesses == truth)[known >= threshold].mean())
    for name, scores in strange.items():
        figures[f"{name}_auroc"] = metrics.auroc(known, scores)
        figures[f"{name}_recall"] = float((scores < threshold).mean())
    return replace(draft, threshold=threshold, metrics=figures)


def evidence(
    calibration: Calibration,
    held: HeldOut,
    unknown: Unknown,
    truth: Rows,
    learning: tuple[tuple[int, float], ...] = (),
) -> Evidence:
    return Evidence(
        truth=truth,
        chances=softmax(held.answers(calibration.spelling) / calibration.temperature),
        known=calibration.score(held.logits, held.signs),
        threshold=calibration.threshold,
        unknown={n: calibration.score(p.logits, p.signs) for n, p in unknown.parts().items()},
        learning=learning,
    )


def _parted(trial: Calibration, held: HeldOut, unknown: Unknown) -> float:
    """How well the score parts what is known from each kind of what is not: AUROCs, added."""
    known = trial.score(held.logits, held.signs)
    return sum(
        metrics.auroc(known, trial.score(part.logits, part.signs))
        for part in unknown.parts().values()
    )


def quality(logits: Vectors, truth: Rows) -> tuple[float, float]:
    """Accuracy first, and among equals the likelihood."""
    chances = softmax(logits)[np.arange(len(truth)), truth]
    right = float((logits.argmax(axis=1) == truth).mean())
    return right, float(np.log(np.maximum(chances, 1e-12)).mean())


def _spelling(readings: Sequence[HeldOut], truth: Rows) -> float:
    """How much the spelling counts.

    The likelihood of the truth is greatest by it: of a few hundred texts it tells more than how many
    are right.
    """
    if any(reading.margins is None for reading in readings):
        return SHARES[0]
    truths = np.tile(truth, len(readings))
    answers = [np.concatenate([reading.answers(share) for reading in readings]) for share in SHARES]
    return min(zip((_cooled(logits, truths)[0] for logits in answers), SHARES, strict=True))[1]


def instant_share(tuned: Sequence[Vectors], instant: Sequence[Vectors], truth: Rows) -> float:
    """How much of an instant head's logits to add to a tuned one's, likewise by the likelihood.

    Both are of each reading of the texts. It is the least share within a standard error of the best:
    the model of all examples is surer than the one that is asked here, and needs less help.
    """
    ours, theirs, truths = (
        np.concatenate(tuned),
        np.concatenate(instant),
        np.tile(truth, len(tuned)),
    )
    found = [_losses(ours + share * theirs, truths) for share in INSTANT]
    losses = np.asarray(found).reshape(len(INSTANT), len(tuned), -1).mean(axis=1)
    behind = losses - losses[losses.mean(axis=1).argmin()]
    errors = behind.std(axis=1) / len(truth) ** 0.5
    return INSTANT[int(np.argmax(behind.mean(axis=1) <= errors))]


def _losses(logits: Vectors, truth: Rows) -> NDArray[np.float64]:
    """Each text's loss, at the temperature that suits all."""
    cooled = logits / _cooled(logits, truth)[1]
    return -np.log(np.maximum(softmax(cooled)[np.arange(len(truth)), truth], 1e-12))


def _cooled(logits: Vectors, truth: Rows) -> tuple[float, float]:
    """The least mean loss that logits can have, and the temperature that they have it at."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        chances = softmax(logits / np.exp(log_temperature))[np.arange(len(truth)), truth]
        return -float(np.log(np.maximum(chances, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(-3, 3), method="bounded")
    return float(found.fun), float(np.exp(found.x))


def _threshold(known: Vectors, strange: list[Vectors], most: float) -> float:
    """Where known and each kind of strange part best, turning away at most that share of the known."""
    low, high = np.quantile(known, [min(REJECTED[0], most), most]).tolist()
    if not strange:
        return float(low + high) / 2
    steps = np.linspace(low, high, 50)
    gains = [
        (known >= t).mean() * len(strange) + sum((part < t).mean() for part in strange)
        for t in steps
    ]
    return float(steps[int(np.argmax(gains))])


def _precise(known: Vectors, right: NDArray[np.bool_], precision: float) -> float:
    """The lowest threshold above which so many are right; minus infinity where none is so good."""
    order = np.argsort(-known, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares[TELLING - 1 :] >= precision)
    return float(known[order[enough[-1] + TELLING - 1]]) if len(enough) else -np.inf


def missed(calibration: Calibration, aim: Aim) -> list[str]:
    """What a report notes where no threshold keeps to the precision that was asked for."""
    reached = calibration.metrics.get("precision")
    if aim.precision is None or (reached is not None and reached >= aim.precision):
        return []
    return [
        f"no threshold reaches a precision of {aim.precision:.3f} on the held-out texts; "
        "it is where it would be without that wish"
    ]


def spreads(held: HeldOut) -> tuple[tuple[float, float], ...]:
    return tuple(spread(sign) for sign in held.signs.T)


def spread(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    deviation = float(values.std())
    return float(values.mean()), deviation if deviation > 1e-6 else 1.0
