"""Calibrates a tuned model on the examples that its encoder was not trained on."""

from __future__ import annotations

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
    *,
    instant: Calibration | None,
    aim: Aim,
) -> tuple[Calibration, Evidence | None]:
    """Calibrates a tuned model on the examples its encoder was not trained on.

    `fitted` and `held` are the classes of the study's rows, `instant` the calibration of an instant
    model on the same rows, None where nothing is held out: how much its head counts beside the tuned
    one is chosen first. That, and how much the spelling counts, is to suit texts with typing errors
    as well as those without.

    Whole intents stand in for the unknown as ever: their columns are taken out of the head and their
    examples out of what is familiar. The encoder has seen their names, though, so that these figures
    flatter.
    """
    count = len(study.weight)
    sizes = {"examples": float(len(fitted) + len(held)), "classes": float(count)}
    talk = study.background.vectors if study.background.texts else None
    if instant is None:
        signs = 1 if talk is None else 2
        return Calibration(
            0.0, 0.0, familiarity=((0.0, 1.0),) * signs, threshold=NOTHING_BELOW, metrics=sizes
        ), None
    familiarity = Familiarity.fit(study.fitted.vectors, fitted, talk)
    spelling = Spelling.fit(study.fitted.texts, fitted, count=count)
    beside = Head.fit(
        study.fitted.frozen, fitted, count=count, gamma=instant.gamma, c=instant.c, seed=0
    )
    readings = [study.held, study.mistyped] if study.mistyped.texts else [study.held]
    share = instant_share(
        [reading.vectors @ study.weight.T for reading in readings],
        [beside.logits(reading.frozen) for reading in readings],
        held,
    )
    head = Head.both(study.weight, beside, share=share)
    known, *mistyped = (
        HeldOut(head.logits(r.both), familiarity.signs(r.vectors), spelling.margins(r.texts))
        for r in readings
    )
    unknown = _hold_tuned_out(study, head, fitted, held, talk)
    gamma, c = instant.gamma, instant.c
    calibration = settle(
        known, unknown, held, mistyped=mistyped, gamma=gamma, c=c, sizes=sizes, aim=aim
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
        familiarity = Familiarity.fit(study.fitted.vectors[left], fitted[left], taught)
        strange = np.isin(held, gone)
        if strange.any():
            logits = head.logits(study.held.both[strange])
            logits[:, gone] = NOTHING_BELOW
            strangers.append(HeldOut(logits, familiarity.signs(study.held.vectors[strange])))
        if background is not None and talk is not None and talk.any():
            logits = head.logits(study.background.both[talk])
            others.append(HeldOut(logits, familiarity.signs(background[talk])))
    return Unknown(joined(strangers), joined(others))
