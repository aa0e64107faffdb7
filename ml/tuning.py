"""Chooses and calibrates the intent model on examples that it was not fitted on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter

import numpy as np

from ml.calibration import (
    Aim,
    Calibration,
    HeldOut,
    Unknown,
    evidence,
    joined,
    quality,
    settle,
    spread,
    spreads,
)
from ml.evidence import Evidence
from ml.familiarity import Familiarity
from ml.head import Features, Head, Rows, turns
from ml.spelling import Spelling
from ml.types import Progress, Vectors

FOLDS = 5
CROSS_VALIDATED = 3_000  # up to here every fold is held out once; with more, one fold tells enough
GAMMAS = (0.3, 0.6)
CS = (0.03, 0.1, 0.3)
NOTHING_BELOW = -1e30
LEARNING = (0.125, 0.25, 0.5)  # the parts of the examples that the learning curve stops at
UNTESTED = (0.3, 1.0)  # gamma and c where nothing can be held out


def calibrate(
    vectors: Vectors,
    classes: Rows,
    background: Vectors | None,
    texts: Sequence[str],
    *,
    count: int,
    seed: int,
    aim: Aim,
    progress: Progress,
) -> tuple[Calibration, Evidence | None]:
    """Chooses the kernel's width and the regularisation, and calibrates what they give.

    Where there are texts it also chooses how much their spelling counts beside their vectors.

    With it comes what the held-out examples say, None where none can be held out.
    """
    sizes = {"examples": float(len(classes)), "classes": float(count)}
    folds = list(_folds(classes, seed))
    if not folds:
        return (
            _uncalibrated(vectors, classes, background, count=count, seed=seed, sizes=sizes),
            None,
        )
    rows = np.concatenate([held for _, held in folds])
    trials: list[tuple[tuple[float, float], float, float, Vectors]] = []
    for gamma in GAMMAS:
        features = Features(vectors, classes, gamma=gamma, seed=seed)
        for c in CS:
            logits = _hold_out(features, vectors, classes, folds, count=count, c=c)
            trials.append((quality(logits, classes[rows]), gamma, c, logits))
            share = len(trials) / (len(GAMMAS) * len(CS) + 1)
            accuracy = trials[-1][0][0]
            progress(share, f"kernel {gamma}, C {c}: held-out accuracy {accuracy:.4f}")
    _, gamma, c, logits = max(trials, key=itemgetter(0))
    margins = _spell(texts, classes, folds, count=count) if texts else None
    held = HeldOut(logits, _signs(vectors, classes, folds, background), margins)
    unknown = _hold_unknown_out(
        vectors, classes, background, count=count, gamma=gamma, c=c, seed=seed
    )
    calibration = settle(held, unknown, classes[rows], gamma=gamma, c=c, sizes=sizes, aim=aim)
    learning = _learning(vectors, classes, texts, folds[0], calibration, count=count, seed=seed)
    found = evidence(calibration, held, unknown, classes[rows], learning)
    progress(1.0, f"held-out accuracy {calibration.metrics['accuracy']:.4f}")
    return calibration, found


def _learning(
    vectors: Vectors,
    classes: Rows,
    texts: Sequence[str],
    fold: tuple[Rows, Rows],
    chosen: Calibration,
    *,
    count: int,
    seed: int,
) -> tuple[tuple[int, float], ...]:
    """(examples, accuracy on the part held out) for growing parts of the rest, every class in turn."""
    fitted, held = fold
    order = np.random.default_rng(seed).permutation(fitted)
    order = order[np.argsort(turns(classes[order]), kind="stable")]
    points = []
    for size in sorted({max(count, int(part * len(order))) for part in LEARNING} | {len(order)}):
        rows = order[:size]
        head = Head.fit(
            vectors[rows], classes[rows], count=count, gamma=chosen.gamma, c=chosen.c, seed=seed
        )
        logits = head.logits(vectors[held])
        if chosen.spelling:
            logits += chosen.spelling * _spell(texts, classes, [(rows, held)], count=count)
        points.append((size, float((logits.argmax(axis=1) == classes[held]).mean())))
    return tuple(points)


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


def _spell(
    texts: Sequence[str], classes: Rows, folds: list[tuple[Rows, Rows]], *, count: int
) -> Vectors:
    """The spelling's margins of the held-out rows."""
    margins = []
    for fitted, held in folds:
        spelling = Spelling.fit([texts[row] for row in fitted], classes[fitted], count=count)
        margins.append(spelling.margins([texts[row] for row in held]))
    return np.concatenate(margins)


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
) -> Unknown:
    """What models say about intents and about other talk that they never saw.

    What is left of fewer than four intents says nothing about the model of all: none is held out.
    """
    order = np.random.default_rng(seed).permutation(count)
    parts = FOLDS if len(classes) <= CROSS_VALIDATED else 1
    strangers: list[HeldOut] = []
    others: list[HeldOut] = []
    for part in range(parts):
        held = np.isin(classes, order[part::FOLDS]) & (count >= 4)
        fitted = np.flatnonzero(~held)
        talk = None if background is None else np.arange(len(background)) % FOLDS == part
        taught = None if background is None or talk is None else background[~talk]
        head = Head.fit(vectors[fitted], classes[fitted], count=count, gamma=gamma, c=c, seed=seed)
        familiarity = Familiarity.fit(vectors[fitted], classes[fitted], taught)
        if held.any():
            rows = vectors[held]
            strangers.append(HeldOut(head.logits(rows), familiarity.signs(rows)))
        if background is not None and talk is not None:
            rows = background[talk]
            others.append(HeldOut(head.logits(rows), familiarity.signs(rows)))
    return Unknown(joined(strangers), joined(others))


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
        gamma, c, logit=spread(unknown.logits.max(axis=1)), familiarity=spreads(unknown)
    )
    threshold = float(np.quantile(draft.score(unknown.logits, unknown.signs), 0.75))
    return Calibration(
        gamma, c, 1.0, draft.logit, draft.familiarity, threshold, metrics=dict(sizes)
    )
