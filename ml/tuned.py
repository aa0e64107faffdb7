"""Calibrates a tuned model on the examples that its encoder was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml.calibration import Aim, Calibration, HeldOut, Unknown, evidence, joined, settle
from ml.evidence import Evidence
from ml.familiarity import Familiarity
from ml.head import Rows
from ml.spelling import Spelling
from ml.tuning import FOLDS, NOTHING_BELOW
from ml.types import Vectors

if TYPE_CHECKING:
    from ml.study import Study


def calibrate(
    study: Study, fitted: Rows, held: Rows, texts: tuple[Sequence[str], Sequence[str]], aim: Aim
) -> tuple[Calibration, Evidence | None]:
    """Calibrates a tuned model on the examples its encoder was not trained on.

    `fitted` and `held` are the classes of the study's rows, `texts` the texts of both. Whole intents
    stand in for the unknown as ever: their columns are taken out of the head and their examples out
    of what is familiar. The encoder has seen their names, though, so that these figures flatter.
    """
    count = len(study.weight)
    sizes = {"examples": float(len(fitted) + len(held)), "classes": float(count)}
    talk = study.background if len(study.background) else None
    if not len(held):
        signs = 1 if talk is None else 2
        return Calibration(
            0.0, 0.0, familiarity=((0.0, 1.0),) * signs, threshold=NOTHING_BELOW, metrics=sizes
        ), None
    familiarity = Familiarity.fit(study.fitted, fitted, talk)
    margins = Spelling.fit(texts[0], fitted, count=count).margins(texts[1])
    known = HeldOut(study.logits, familiarity.signs(study.held), margins)
    unknown = _hold_tuned_out(study, fitted, held, talk)
    calibration = settle(known, unknown, held, gamma=0.0, c=0.0, sizes=sizes, aim=aim)
    return calibration, evidence(calibration, known, unknown, held)


def _hold_tuned_out(study: Study, fitted: Rows, held: Rows, background: Vectors | None) -> Unknown:
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
        strange = study.held[np.isin(held, gone)]
        if len(strange):
            logits = strange @ study.weight.T
            logits[:, gone] = NOTHING_BELOW
            strangers.append(HeldOut(logits, familiarity.signs(strange)))
        if background is not None and talk is not None and talk.any():
            rows = background[talk]
            others.append(HeldOut(rows @ study.weight.T, familiarity.signs(rows)))
    return Unknown(joined(strangers), joined(others))
