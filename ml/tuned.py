"""Calibrates a tuned model on the examples that its encoder was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ml.calibration import (
    Aim,
    Calibration,
    HeldOut,
    Unknown,
    evidence,
    instant_share,
    joined,
    settle,
)
from ml.evidence import Evidence
from ml.familiarity import Familiarity
from ml.head import Head, Rows
from ml.spelling import Spelling
from ml.tuning import FOLDS, NOTHING_BELOW
from ml.types import Vectors

if TYPE_CHECKING:
    from ml.study import Study


def calibrate(
    study: Study,
    fitted: Rows,
    held: Rows,
    texts: tuple[Sequence[str], Sequence[str]],
    *,
    instant: Calibration | None,
    aim: Aim,
) -> tuple[Calibration, Evidence | None]:
    """Calibrates a tuned model on the examples its encoder was not trained on.

    `fitted` and `held` are the classes of the study's rows, `texts` the texts of both, `instant` the
    calibration of an instant model on the same rows, None where nothing is held out: how much its
    head counts beside the tuned one is chosen first. That, and how much the spelling counts, is to
    suit texts with typing errors as well as those without.

    Whole intents stand in for the unknown as ever: their columns are taken out of the head and their
    examples out of what is familiar. The encoder has seen their names, though, so that these figures
    flatter.
    """
    count = len(study.weight)
    sizes = {"examples": float(len(fitted) + len(held)), "classes": float(count)}
    talk = study.background if len(study.background) else None
    if instant is None:
        signs = 1 if talk is None else 2
        return Calibration(
            0.0, 0.0, familiarity=((0.0, 1.0),) * signs, threshold=NOTHING_BELOW, metrics=sizes
        ), None
    familiarity = Familiarity.fit(study.fitted, fitted, talk)
    spelling = Spelling.fit(texts[0], fitted, count=count)
    beside = Head.fit(
        study.frozen[0], fitted, count=count, gamma=instant.gamma, c=instant.c, seed=0
    )
    readings = [(study.held, study.frozen[1])]
    if study.mistyped:
        readings.append((study.mistyped.vectors, study.mistyped.frozen))
    share = instant_share(
        [vectors @ study.weight.T for vectors, _ in readings],
        [beside.logits(frozen) for _, frozen in readings],
        held,
    )
    head = Head.both(study.weight, beside, share=share)

    def asked(vectors: Vectors, frozen: Vectors, said: Sequence[str]) -> HeldOut:
        logits = head.logits(np.hstack([vectors, frozen]))
        return HeldOut(logits, familiarity.signs(vectors), spelling.margins(said))

    known = asked(*readings[0], texts[1])
    mistyped = asked(*readings[1], study.mistyped.texts) if study.mistyped else None
    unknown = _hold_tuned_out(study, head, fitted, held, talk)
    calibration = settle(
        known,
        unknown,
        held,
        mistyped=mistyped,
        gamma=instant.gamma,
        c=instant.c,
        sizes=sizes,
        aim=aim,
    )
    return replace(calibration, instant=share), evidence(calibration, known, unknown, held)


def _hold_tuned_out(
    study: Study, head: Head, fitted: Rows, held: Rows, background: Vectors | None
) -> Unknown:
    """What a tuned model says of intents and of talk that were taken out of it."""
    count = len(study.weight)
    order = np.random.default_rng(0).permutation(count)
    strangers: list[HeldOut] = []
    others: list[HeldOut] = []
    for part in range(FOLDS):
        gone = order[part::FOLDS] if count >= 4 else order[:0]
        left = ~np.isin(fitted, gone)
        talk = None if background is None else np.arange(len(background)) % FOLDS == part
        taught = None if background is None or talk is None else background[~talk]
        familiarity = Familiarity.fit(study.fitted[left], fitted[left], taught)
        strange = np.isin(held, gone)
        if strange.any():
            logits = head.logits(study.read_held[strange])
            logits[:, gone] = NOTHING_BELOW
            strangers.append(HeldOut(logits, familiarity.signs(study.held[strange])))
        if background is not None and talk is not None and talk.any():
            logits = head.logits(study.read_background[talk])
            others.append(HeldOut(logits, familiarity.signs(background[talk])))
    return Unknown(joined(strangers), joined(others))
