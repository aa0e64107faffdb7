"""One training of a tuning run, from the frozen encoder to an adapter and a head."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ml import adversarial, augment, consistency, contrastive, pretrain
from ml.adapters import Adapter, halfway
from ml.calibration import quality
from ml.checkpoint import Checkpoint
from ml.classifier import Classifier
from ml.config import Config
from ml.course import Course, Lesson, Progressed, Term
from ml.head import Rows
from ml.lesson import Sources, errors, teach
from ml.lora import Trainee
from ml.material import Material
from ml.ranking import Ranking
from ml.types import Progress, Vectors


@dataclass(frozen=True, slots=True)
class Reading:
    """Texts, and their float32[n, d] by the trained encoder and by the encoder as it was before."""

    texts: list[str]
    vectors: Vectors
    frozen: Vectors

    @property
    def both(self) -> Vectors:
        """float32[n, 2d], as a model reads it that reads with the adapter and without."""
        return np.hstack([self.vectors, self.frozen])


@dataclass(frozen=True, slots=True)
class Study:
    """What one training came to.

    `weight` is float32[classes, d] of the head. `fitted`, `held` and `background` are the examples it
    was fitted on, those held out and talk about other things. `mistyped` are those held out with the
    typing errors that the training makes, nothing where it makes none.
    """

    adapter: Adapter
    weight: Vectors
    state: Progressed
    fitted: Reading
    held: Reading
    background: Reading
    mistyped: Reading
    device: str
    dtype: str

    def quality(self, truth: Rows) -> tuple[float, float]:
        """Accuracy on what was held out, and among equals the likelihood."""
        return quality(self.held.vectors @ self.weight.T, truth)


def study(
    folder: Path,
    material: Material,
    sources: Sources,
    config: Config,
    *,
    rows: Rows,
    exam: Rows,
    epochs: int,
    checkpoint: Path | None,
    progress: Progress,
    twin: Study | None = None,
) -> Study:
    """Trains on some rows of the material; on the other, where there are any, it is examined.

    With a twin the result lies halfway between both: as good as asking both, at the price of one
    (model soups, Wortsman et al. 2022, arXiv:2203.05482).
    """
    trainee = _load(folder, config)
    texts, classes = [material.texts[row] for row in rows], material.classes[rows]
    asked = [material.texts[row] for row in exam]
    parts = [texts, asked, list(sources.background), _mistype(asked, config)]
    tokens = [trainee.tokenize(part) for part in parts]
    frozen = [trainee.encode_tokens(part) for part in tokens]
    if config.pretrain == "on":
        pretrain.adapt(
            trainee, [*texts, *sources.unlabelled], seed=config.seed, progress=_quietly(progress)
        )
    lesson = replace(
        teach(trainee, texts, classes, material.names, sources, config), margins=material.margins
    )
    classifier = Classifier(trainee, lesson.vectors, lesson.classes, count=len(material.names))
    course = Course(
        classifier,
        lesson,
        _exam(asked, tokens[1], material.classes[exam], frozen[1]),
        config=config,
        epochs=epochs,
        terms=_terms(config, trainee, lesson, sources),
        checkpoint=_keep(checkpoint, trainee, lesson, config, progress),
        progress=progress,
    )
    state = course.run()
    adapter, weight = _joined(classifier, twin)
    vectors = (trainee.encode_tokens(part) for part in tokens)
    fitted, held, background, mistyped = map(Reading, parts, vectors, frozen)
    return Study(
        adapter=adapter,
        weight=weight,
        state=state,
        fitted=fitted,
        held=held,
        background=background,
        mistyped=mistyped,
        device=trainee.device.type,
        dtype=trainee.dtype,
    )


def _keep(
    folder: Path | None, trainee: Trainee, lesson: Lesson, config: Config, progress: Progress
) -> Checkpoint:
    digest = _digest(trainee, lesson, config)
    return Checkpoint(folder, of=digest, seconds=config.checkpoint_seconds, progress=progress)


def _mistype(texts: list[str], config: Config) -> list[str]:
    """With the kinds of typing errors that training makes; nothing where it makes none."""
    kinds, rng = errors(config), random.Random(config.seed)  # noqa: S311 - repeatable, no secret
    return [augment.mistype(text, kinds, rng) for text in texts] if kinds else []


def _joined(classifier: Classifier, twin: Study | None) -> tuple[Adapter, Vectors]:
    """What was learned; with a twin halfway to it, which the trainee then has too."""
    adapter = classifier.trainee.adapter()
    weight: Vectors = classifier.weight().detach().cpu().numpy()
    if twin is None:
        return adapter, weight
    adapter = halfway(adapter, twin.adapter)
    classifier.trainee.load_adapter(adapter)
    return adapter, np.asarray((weight + twin.weight) / 2, dtype=np.float32)


def _exam(
    texts: list[str], tokens: list[list[int]], classes: Rows, vectors: Vectors
) -> Lesson | None:
    """What was held out, each text counting alike; None where nothing was."""
    alike = np.ones(len(texts), dtype=np.float32)
    return Lesson(texts, tokens, classes, alike, vectors) if texts else None


def _load(folder: Path, config: Config) -> Trainee:
    return Trainee.load(
        folder,
        rank=config.rank,
        dtype=config.dtype,
        device=config.device,
        threads=config.threads,
        seed=config.seed,
    )


def _terms(config: Config, trainee: Trainee, lesson: Lesson, sources: Sources) -> list[Term]:
    terms: list[Term] = []
    if config.contrastive == "on":
        terms.append(contrastive.Pairs(lesson, seed=config.seed))
    if config.adversarial == "on":
        terms.append(adversarial.attack)
    if config.consistency == "on":
        smoothing, seed = config.smoothing, config.seed
        kinds = errors(config)
        terms.append(consistency.Agreement(lesson.texts, kinds, smoothing=smoothing, seed=seed))
    if config.hard_negatives == "on" and sources.passages:
        terms.append(Ranking.mine(trainee, sources.passages, seed=config.seed))
    return terms


def _quietly(progress: Progress) -> Progress:
    """The stage before training moves no bar, but can be cancelled."""
    return lambda share, told: progress(0.0, told)


def _digest(trainee: Trainee, lesson: Lesson, config: Config) -> str:
    """Names what is trained on what."""
    digest = hashlib.sha256(trainee.fingerprint.encode())
    digest.update(json.dumps(config.to_json(), sort_keys=True).encode())
    digest.update(json.dumps([lesson.tokens, lesson.classes.tolist()]).encode())
    digest.update(lesson.weights.tobytes())
    if lesson.soft is not None:
        digest.update(lesson.soft.tobytes())
    if lesson.margins is not None:
        digest.update(lesson.margins.tobytes())
    return digest.hexdigest()
