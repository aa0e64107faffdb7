"""Tuning: the shared encoder learns one tenant's intents (LoRA), and a calibrated model comes out."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ml import evidence, tuned
from ml.calibration import Aim, Calibration, missed
from ml.config import SWITCHES, Config
from ml.familiarity import Familiarity
from ml.head import Head, Rows
from ml.intent import IntentModel, some
from ml.lesson import Paraphrase, Sources
from ml.material import Material, prepare
from ml.report import Cost, Learning, LearningPoint, Report, Scores, Switch
from ml.spelling import Spelling
from ml.study import Study, study
from ml.types import Example, Progress, Vectors
from ml.usage import Meter

if TYPE_CHECKING:
    from ml.encoder import Encoder

__all__ = ["Config", "tune"]

NOTHING = np.empty(0, dtype=np.intp)
SEEN = (
    "Intents held out as if unknown were unknown to the head only: the encoder was tuned with them, "
    "so that these out-of-scope figures flatter."
)
REHEARSED = 2  # so many times fewer messages without a label are read before the refit
TRAINING = 0.95  # of the progress; the rest is calibration


def tune(
    encoder: Encoder,
    folder: Path,
    examples: Sequence[Example],
    *,
    unlabelled: Sequence[str] = (),
    passages: Sequence[tuple[str, str]] = (),
    background: Sequence[str] = (),
    paraphrase: Paraphrase | None = None,
    rounds: Mapping[str, int] | None = None,
    config: Config | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> IntentModel:
    """Trains an adapter for the encoder in `folder` and an intent model on top of it.

    `unlabelled` are a tenant's messages without labels, `passages` (question, passage) pairs of its
    knowledge base, `background` sentences about other things (`ml.background`), `paraphrase` what
    says a text in so many other ways. Without a config it is `Config.suited`. What a model should
    learn beside what an earlier one knows, `ml.continual` puts together; `rounds` tell in which of
    such trainings an intent came, the first where they do not.

    With a folder for checkpoints a run that was killed goes on when it is called again with the same
    input, to the same result; the caller removes the folder afterwards. Whatever `progress` raises
    cancels it.

    One intent, or texts that are all equal, teach nothing: the model is the instant one then, and
    its report says so. Raises `DataError` where there are no examples.
    """
    say = progress or _silent
    config = config or Config.suited(
        len(examples), unlabelled=len(unlabelled), passages=len(passages)
    )
    material = prepare(examples, share=config.held_out, seed=config.seed, rounds=rounds)
    if not material.teaches:
        return _instant(encoder, material, background, config, say)
    sources = Sources(unlabelled, passages, background, paraphrase)
    return Run(folder, material, sources, config, checkpoint, say).model()


class Run:
    """One tuning: the trainings it takes, and the model and the report that come out of them."""

    def __init__(
        self,
        folder: Path,
        material: Material,
        sources: Sources,
        config: Config,
        checkpoint: Path | None,
        progress: Progress,
    ) -> None:
        self._folder, self._material, self._sources = folder, material, sources
        self._checkpoint, self._progress = checkpoint, progress
        self._meter, self._notes, self._seen, self._done = Meter(), list(material.notes), 0, 0
        self._config = self._possible(config)
        self._trials = [name for name in SWITCHES if getattr(self._config, name) == "try"]
        self._refit = config.refit and len(material.held) > 0
        self._stages = 1 + len(self._trials) + self._refit

    def model(self) -> IntentModel:
        """Trains, chooses and calibrates."""
        config, chosen, switches = self._choose()
        final = self._refitted(config, chosen) if self._refit else chosen
        return self._assemble(config, chosen, final, switches)

    def _possible(self, config: Config) -> Config:
        """The configuration without the switches that have nothing to work on here."""
        changes, sources = {}, self._sources
        for name, there, missing in (
            ("hard_negatives", bool(sources.passages), "there are no passages"),
            ("self_training", bool(sources.unlabelled), "there are no messages without a label"),
            ("paraphrase", sources.paraphrase is not None, "no language model is configured"),
        ):
            if getattr(config, name) != "off" and not there:
                changes[name] = "off"
                self._notes.append(f"{name} did nothing: {missing}")
        return config.change(**changes)

    def _choose(self) -> tuple[Config, Study, list[Switch]]:
        """Trains without what is to be tried, then with one thing more at a time."""
        held, truth = self._material.held, self._material.classes[self._material.held]
        config = self._config.change(**dict.fromkeys(self._trials, "off"))
        best = self._study("base", config, config.epochs)
        switches = []
        for name in self._trials:
            if not len(held):
                self._notes.append(f"{name} could not be tried: nothing was held out")
                continue
            wider = config.change(**{name: "on"})
            trial = self._study(name, wider, config.epochs)
            without, with_it = best.quality(truth), trial.quality(truth)
            switches.append(Switch(name, with_it > without, without[0], with_it[0]))
            if with_it > without:
                config, best = wider, trial
        return config, best, switches

    def _refitted(self, config: Config, chosen: Study) -> Study:
        epochs = chosen.state.best_epoch
        if not config.joined:
            return self._study("refit", config, epochs)
        # With another seed the two err more differently, and what lies between them errs less.
        return self._study("refit", config.change(seed=config.seed + 1), epochs, twin=chosen)

    def _study(
        self, stage: str, config: Config, epochs: int, *, twin: Study | None = None
    ) -> Study:
        start, size = TRAINING * self._done / self._stages, TRAINING / self._stages
        rows = np.arange(len(self._material.texts)) if stage == "refit" else self._material.fit
        if self._refit and stage != "refit" and not config.joined:
            # What is refitted anew is trained here to be calibrated only: fewer messages will do.
            config = config.change(guessed=-(-config.guessed // REHEARSED))
        found = study(
            self._folder,
            self._material,
            self._sources,
            config,
            rows=rows,
            exam=NOTHING if stage == "refit" else self._material.held,
            epochs=epochs,
            checkpoint=self._checkpoint and self._checkpoint / stage,
            progress=lambda share, told: self._progress(start + size * share, f"{stage}: {told}"),
            twin=twin,
        )
        gc.collect()  # the encoder it trained is in cycles, and would stand beside the next one
        self._done += 1
        self._seen += found.state.epoch * len(rows)
        return found

    def _assemble(
        self, config: Config, chosen: Study, final: Study, switches: list[Switch]
    ) -> IntentModel:
        """Calibrated on what the chosen study was not fitted on, with the final study's weights."""
        material = self._material
        rows = np.arange(len(material.texts)) if self._refit else material.fit
        aim = Aim(config.recall, config.precision)
        instant = self._instant(chosen) if len(material.held) else None
        calibration, found = tuned.calibrate(
            chosen,
            material.classes[material.fit],
            material.classes[material.held],
            instant=instant.calibration if instant else None,
            aim=aim,
        )
        if found:
            self._notes += missed(calibration, aim)
        familiarity = Familiarity.fit(
            final.fitted.vectors, material.classes[rows], _some(final.background.vectors)
        )
        if found and "oos" in found.unknown:
            self._notes.append(SEEN)
        cost = self._meter.cost(examples=self._seen, device=final.device)
        report = Report(
            step="tuned",
            examples=len(material.texts),
            held_out=evidence.describe(found, material.names) if found else None,
            before=self._before(instant, chosen) if instant else None,
            learning=_learning(chosen),
            switches=tuple(switches),
            cost=cost,
            notes=tuple(self._notes),
        )
        metrics = calibration.metrics | _costs(cost)
        self._progress(1.0, f"tuned {len(material.names)} intents on {len(rows)} examples")
        return IntentModel(
            material.names,
            self._head(final, rows, calibration),
            familiarity,
            calibration=replace(calibration, metrics=metrics),
            spelling=Spelling.counting(
                calibration.spelling,
                material.of(rows),
                material.classes[rows],
                count=len(material.names),
            ),
            report=report.to_json()
            | {"config": config.to_json(), "dtype": final.dtype, "curve": chosen.state.curve},
            adapter=final.adapter,
            asked=some(final.fitted.vectors),
        )

    def _head(self, final: Study, rows: Rows, chosen: Calibration) -> Head:
        """What was tuned, and beside it the instant head of the same examples where that counts."""
        if not chosen.instant:
            return Head.linear(final.weight)
        instant = Head.fit(
            final.fitted.frozen,
            self._material.classes[rows],
            count=len(self._material.names),
            gamma=chosen.gamma,
            c=chosen.c,
            seed=0,
        )
        return Head.both(final.weight, instant, share=chosen.instant)

    def _instant(self, chosen: Study) -> IntentModel:
        """The instant model of what the study was fitted on, on the frozen encoder."""
        material = self._material
        labels = [material.names[number] for number in material.classes[material.fit]]
        return IntentModel.fit(
            chosen.fitted.frozen,
            labels,
            texts=material.of(material.fit),
            background=_some(chosen.background.frozen),
        )

    def _before(self, model: IntentModel, chosen: Study) -> Scores:
        """How the instant model does on the same held-out part."""
        material, held = self._material, chosen.held.frozen
        chances = np.zeros((len(held), len(material.names)))
        chances[:, [material.names.index(name) for name in model.labels]] = model.chances(
            held, material.of(material.held)
        )
        return evidence.score(material.classes[material.held], chances)


def _instant(
    encoder: Encoder,
    material: Material,
    background: Sequence[str],
    config: Config,
    progress: Progress,
) -> IntentModel:
    """The model on the frozen encoder, where there is nothing that training could tell apart."""
    why = "there is one intent only" if len(material.names) == 1 else "all texts are equal"
    labels = [material.names[number] for number in material.classes]
    model = IntentModel.fit(
        encoder.encode(material.texts),
        labels,
        texts=material.texts,
        background=encoder.encode(background) if background else None,
        aim=Aim(config.recall, config.precision),
        seed=config.seed,
        progress=progress,
    )
    notes = [
        *model.report["notes"],
        *material.notes,
        f"not tuned: {why}; this is the instant model",
    ]
    model.report = model.report | {"notes": notes, "config": config.to_json()}
    return model


def _learning(chosen: Study) -> Learning | None:
    points = [p for p in chosen.state.curve if "accuracy" in p]
    if not points:
        return None
    return Learning("epochs", tuple(LearningPoint(p["epoch"], p["accuracy"]) for p in points))


def _costs(cost: Cost) -> dict[str, float]:
    names = ("seconds", "cpu_seconds", "peak_memory", "examples_per_second")
    return {name: float(getattr(cost, name)) for name in names}


def _some(vectors: Vectors) -> Vectors | None:
    return vectors if len(vectors) else None


def _silent(share: float, message: str) -> None:
    """Progress that nobody asked for."""
