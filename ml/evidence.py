"""What a model says about held-out texts, and what that tells of it: the tables and curves of a report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.head import Rows
from ml.report import (
    Bin,
    Confusion,
    Cost,
    Cut,
    HeldOut,
    IntentRow,
    Learning,
    LearningPoint,
    Report,
    RocPoint,
    Scores,
    Unknown,
)
from ml.types import Vectors

BINS = 15  # as in ml.metrics.ece
POINTS = 50  # of a curve: more than a plot shows
CONFUSIONS = 50


@dataclass(frozen=True, slots=True)
class Evidence:
    """The held-out texts of one model, in arrays.

    `truth` is intp[n], each text's intent; `chances` float64[n, intents], calibrated; `known`
    float32[n], the in-scope score of each. `unknown` are the same scores of texts out of scope, by
    kind. `learning` are (examples fitted on, held-out accuracy) pairs.
    """

    truth: Rows
    chances: NDArray[np.float64]
    known: Vectors
    threshold: float
    unknown: Mapping[str, Vectors] = field(default_factory=dict)
    learning: tuple[tuple[int, float], ...] = ()


NOTHING_HELD_OUT = (
    "Every intent has a single example, so none could be held out: there are no figures. "
    "Add a second example to each intent and train again."
)


def report(
    evidence: Evidence | None,
    labels: Sequence[str],
    *,
    step: Literal["instant", "tuned"],
    examples: int,
    cost: Cost,
) -> Report:
    """The report of a model as far as its held-out texts tell it, None where there are none."""
    if evidence is None:
        return Report(step=step, examples=examples, cost=cost, notes=(NOTHING_HELD_OUT,))
    points = tuple(LearningPoint(at, accuracy) for at, accuracy in evidence.learning)
    return Report(
        step=step,
        examples=examples,
        held_out=describe(evidence, labels),
        learning=Learning("examples", points) if points else None,
        cost=cost,
    )


def describe(evidence: Evidence, labels: Sequence[str]) -> HeldOut:
    """All tables and curves; `labels` names the columns of `chances`."""
    guesses = evidence.chances.argmax(axis=1)
    right = guesses == evidence.truth
    confidence = evidence.chances.max(axis=1)
    return HeldOut(
        scores=score(evidence.truth, evidence.chances),
        intents=tuple(_intents(evidence.truth, guesses, labels)),
        confusions=tuple(_confusions(evidence.truth, guesses, labels)),
        bins=tuple(_bins(confidence, right)),
        cuts=tuple(_cuts(evidence.known, right)),
        chosen=_cut(evidence.known, right, evidence.threshold),
        unknown=tuple(
            _unknown(kind, evidence.known, scores, evidence.threshold)
            for kind, scores in evidence.unknown.items()
        ),
    )


def score(truth: Rows, chances: NDArray[np.float64]) -> Scores:
    """`truth` intp[n], `chances` float64[n, intents], calibrated."""
    guesses = chances.argmax(axis=1)
    return Scores(
        texts=len(truth),
        accuracy=metrics.accuracy(truth.tolist(), guesses.tolist()),
        macro_f1=metrics.macro_f1(truth.tolist(), guesses.tolist()),
        ece=metrics.ece(chances.max(axis=1), guesses == truth, bins=BINS),
        roc_auc=metrics.macro_auroc(truth, chances),
    )


def _intents(truth: Rows, guesses: Rows, labels: Sequence[str]) -> list[IntentRow]:
    """The weakest first: that is where work is worth most."""
    from sklearn.metrics import precision_recall_fscore_support

    present = np.union1d(truth, guesses)
    columns = precision_recall_fscore_support(truth, guesses, labels=present, zero_division=0)
    rows = [
        IntentRow(labels[number], float(p), float(r), float(f), int(s))
        for number, p, r, f, s in zip(present.tolist(), *columns, strict=True)
    ]
    return sorted(rows, key=lambda row: (row.f1, row.intent))


def _confusions(truth: Rows, guesses: Rows, labels: Sequence[str]) -> list[Confusion]:
    wrong = truth != guesses
    pairs = Counter(zip(truth[wrong].tolist(), guesses[wrong].tolist(), strict=True))
    rows = [Confusion(labels[t], labels[g], count) for (t, g), count in pairs.items()]
    return sorted(rows, key=lambda row: (-row.count, row.truth, row.guess))[:CONFUSIONS]


def _bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> list[Bin]:
    """The reliability diagram (Guo et al. 2017, arXiv:1706.04599); empty bins are left out."""
    places = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    return [
        Bin(
            low=place / BINS,
            high=(place + 1) / BINS,
            count=int((places == place).sum()),
            confidence=float(confidence[places == place].mean()),
            accuracy=float(right[places == place].mean()),
        )
        for place in np.unique(places).tolist()
    ]


def _cuts(known: Vectors, right: NDArray[np.bool_]) -> list[Cut]:
    """The whole curve of coverage and precision, from turning nothing away to all but a few."""
    thresholds = np.unique(np.quantile(known, np.linspace(0, 1, POINTS), method="lower"))
    return [_cut(known, right, threshold) for threshold in thresholds.tolist()]


def _cut(known: Vectors, right: NDArray[np.bool_], threshold: float) -> Cut:
    answered = known >= threshold
    precision = float(right[answered].mean()) if answered.any() else None
    return Cut(threshold, float(answered.mean()), precision)


def _unknown(kind: str, known: Vectors, strange: Vectors, threshold: float) -> Unknown:
    steps = np.quantile(np.r_[known, strange], np.linspace(0, 1, POINTS))
    ends = [-np.inf, *steps.tolist(), np.inf]
    curve = [RocPoint(float((known < t).mean()), float((strange < t).mean())) for t in ends]
    return Unknown(
        kind=kind,
        texts=len(strange),
        auroc=metrics.auroc(known, strange),
        recall=float((strange < threshold).mean()),
        curve=tuple(dict.fromkeys(curve)),
    )
