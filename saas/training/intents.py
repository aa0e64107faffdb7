"""Training of the intent model on a tenant's examples: instant, or tuned behind it."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from ml import continual, fairness, metrics, robust
from ml.augment import Paraphrase
from ml.background import sentences
from ml.calibration import Aim
from ml.errors import DataError
from ml.intent import IntentModel
from ml.personal import redact
from ml.types import Example, Prediction
from saas import engine
from saas.training import paraphrase, store
from saas.training.models import Correction, Kind, ModelVersion, Run
from saas.training.models import Example as Row

SCORE = "accuracy"
ENCODING = 0.6  # the share of an instant run's time that encoding takes
FROZEN_SHARE = 0.1
ENOUGH = 10  # examples of an intent, from which on some can be spared for the test part
MESSAGES = 20_000  # without a label, the newest; more hardly teach more

Report = Callable[[float, str], None]


class Expectations(Protocol):
    """What settings.EXPECTATIONS gives."""

    @property
    def questions(self) -> Sized: ...

    def answered(self, model: IntentModel) -> set[str]: ...


@dataclass(frozen=True, slots=True)
class Data:
    """What a run learns from.

    `frozen` is the test part: no tuned model is trained on it. `fresh` are the texts of the examples
    that came, or were corrected, since the live model was made. `rounds` tell after how many tunings
    an intent's first example came.
    """

    examples: list[Example]
    frozen: list[Example]
    fresh: frozenset[str] = frozenset()
    rounds: dict[str, int] = field(default_factory=dict)
    corrections: list[Example] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    passages: list[tuple[str, str]] = field(default_factory=list)
    expectations: Expectations | None = None


def read() -> Data:
    """The current tenant's examples, in an order that does not depend on when they came."""
    rows = Row.objects.order_by("digest").values_list("digest", "text", "intent", "created_at")
    found = list(rows.iterator(chunk_size=5_000))
    sizes = Counter(label for _, _, label, _ in found)
    apart = [sizes[label] >= ENOUGH and _is_frozen(digest) for digest, _, label, _ in found]
    examples = [Example(text=text, label=label) for _, text, label, _ in found]
    made = ModelVersion.objects.filter(kind=Kind.INTENT, active=True).values_list("created_at")
    since = made[0][0] if made else None
    fresh = {text for _, text, _, at in found if since is None or at > since}
    if since is not None:
        changed = Correction.objects.filter(created_at__gt=since)
        fresh |= set(changed.values_list("text", flat=True))
    corrected = Correction.objects.order_by("digest").values_list("text", "intent")
    return Data(
        [example for example, away in zip(examples, apart, strict=True) if not away],
        [example for example, away in zip(examples, apart, strict=True) if away],
        frozenset(fresh),
        _rounds((label, at) for _, _, label, at in found),
        [Example(text=text, label=label) for text, label in corrected],
        list(_unlabelled({example.text for example in examples})),
        import_string(settings.PASSAGES)(),
        import_string(settings.EXPECTATIONS)(),
    )


def _rounds(arrivals: Iterable[tuple[str, datetime]]) -> dict[str, int]:
    first: dict[str, datetime] = {}
    for label, at in arrivals:
        first[label] = min(at, first.get(label, at))
    tuned = Run.objects.filter(kind=Kind.INTENT, step="tuned", state=Run.State.SUCCEEDED)
    starts = list(tuned.order_by("started_at").values_list("started_at", flat=True))
    return {label: bisect_right(starts, at) for label, at in first.items()}


def fit(data: Data, task: store.Task, *, progress: Report) -> IntentModel:
    """A model whose `metrics` tell how it does on the frozen part, where there is one.

    Raises `DataError` where there are no examples, or where a limit of the run's forbids the model.
    """
    return (_tune if task.step == "tuned" else _fit)(data, task, progress)


def rival(model: IntentModel, live: IntentModel, data: Data) -> dict[str, float]:
    """How a new and the live model do on what people corrected, messages and answers, and on old intents.

    The last is the forgetting curve: over the tuned versions it tells what each kept of what its
    predecessor knew. An instant one was fitted on the frozen part too, and says nothing there.
    """
    parts = {"corrections": data.corrections}
    if live.adapter is not None:
        known = set(live.labels)
        parts["old_intents"] = [example for example in data.frozen if example.label in known]
    figures = {}
    for name, examples in parts.items():
        if examples:
            figures[name] = float(len(examples))
            figures[f"{name}_accuracy"] = _accuracy(model, examples)
            figures[f"champion_{name}_accuracy"] = _accuracy(live, examples)
    return figures | _asked(model, live, data.expectations)


def _asked(
    model: IntentModel, live: IntentModel, expectations: Expectations | None
) -> dict[str, float]:
    """How many of the questions with a corrected answer each answers; the report names the lost ones."""
    if expectations is None or not expectations.questions:
        return {}
    count = len(expectations.questions)
    before, after = expectations.answered(live), expectations.answered(model)
    model.report["lost"] = sorted(before - after)
    return {
        "answers": float(count),
        "answers_accuracy": len(after) / count,
        "champion_answers_accuracy": len(before) / count,
    }


def fingerprint(data: Data) -> str:
    digest = hashlib.sha256()
    for example in (*data.examples, *data.frozen):
        digest.update(f"{example.text}\0{example.label}\0".encode())
    return digest.hexdigest()


def load(folder: Path) -> IntentModel:
    return IntentModel.load(folder)


def _fit(data: Data, task: store.Task, progress: Report) -> IntentModel:
    """The instant model, of all examples; a twin without the frozen part is what is measured on it."""
    everything = [*data.examples, *data.frozen]
    texts = [example.text for example in everything]
    progress(0.01, f"Encoding {len(everything):,} examples.")
    vectors = engine.encode_all(
        texts,
        "query",
        lambda share, line: progress(share * ENCODING, ""),
    )
    labels = [example.label for example in everything]
    progress(ENCODING, "Fitting.")
    model = IntentModel.fit(
        vectors,
        labels,
        texts=texts,
        background=engine.background(),
        aim=Aim(**task.options),
        progress=lambda share, line: progress(ENCODING + share * (0.9 - ENCODING), line),
    )
    if data.frozen:
        known = len(data.examples)
        twin = model.twin(vectors[:known], labels[:known], texts[:known])
        model.metrics |= _test(labels[known:], twin.predict(vectors[known:], texts[known:]))
    return model


def _tune(data: Data, task: store.Task, progress: Report) -> IntentModel:
    from ml.finetune import Config, tune

    encoder, folder = engine.encoder()
    changes = {"threads": settings.THREADS} | task.options
    limit = changes.pop("fairness_limit", None)
    examples = data.examples
    rounds: dict[str, int] = {}
    if changes.pop("continual", False):
        rounds = data.rounds
        examples = continual.replay(*_by_age(data), seed=changes.get("seed", 0))
        progress(0.0, f"{len(data.fresh):,} texts are new; {len(examples):,} examples in all.")
    paraphraser = paraphrase.paraphraser(lambda line: progress(0.0, line))
    model = tune(
        encoder,
        folder,
        examples,
        unlabelled=data.unlabelled,
        passages=data.passages,
        background=sentences(),
        paraphrase=paraphraser,
        rounds=rounds,
        config=Config.suited(
            len(examples),
            unlabelled=len(data.unlabelled),
            passages=len(data.passages),
            **changes,
        ),
        checkpoint=task.checkpoint,
        progress=lambda share, line: progress(0.9 * share, line),
    )
    if data.frozen:
        model.metrics |= _test(
            [example.label for example in data.frozen],
            _predict(model, [example.text for example in data.frozen]),
        )
    _try_out(model, data, limit, paraphraser, progress)
    return model


def _by_age(data: Data) -> tuple[list[Example], list[Example]]:
    """The examples that the live model knows, and those that are new."""
    old = [example for example in data.examples if example.text not in data.fresh]
    return old, [example for example in data.examples if example.text in data.fresh]


def _try_out(
    model: IntentModel,
    data: Data,
    limit: float | None,
    paraphraser: Paraphrase | None,
    progress: Report,
) -> None:
    """Robustness and fairness, into the model's report; on examples it knows where none are frozen.

    Raises `DataError` where the exchange of names, places or gender moves more answers than `limit`.
    """
    examples = data.frozen or data.examples

    def predict(texts: list[str]) -> list[Prediction]:
        return _predict(model, texts)

    progress(0.92, "Trying typing errors, other words, other names.")
    swaps = fairness.measure(predict, examples, texts=settings.TRIAL_TEXTS)
    disturbed = robust.measure(
        predict, examples, texts=settings.TRIAL_TEXTS, paraphrase=paraphraser
    )
    model.report["robustness"] = [asdict(row) for row in disturbed]
    model.report["fairness"] = [asdict(row) for row in swaps]
    reasons = fairness.gate(swaps, limit)
    if reasons:
        raise DataError(f"no version was made, as the run's limit demands: {'; '.join(reasons)}")


def _test(truth: list[str], predictions: list[Any]) -> dict[str, float]:
    guesses = [prediction.label for prediction in predictions]
    return {
        "test_accuracy": metrics.accuracy(truth, guesses),
        "test_macro_f1": metrics.macro_f1(truth, guesses),
        "test_size": float(len(truth)),
    }


def _accuracy(model: IntentModel, examples: list[Example]) -> float:
    predictions = _predict(model, [example.text for example in examples])
    truth = [example.label for example in examples]
    return metrics.accuracy(truth, [prediction.label or "" for prediction in predictions])


def _predict(model: IntentModel, texts: list[str]) -> list[Prediction]:
    return model.predict(model.read(texts, engine.encode_all), texts)


def _is_frozen(digest: str) -> bool:
    """By the text's own digest: the same text is on the same side for ever."""
    return int(digest[:8], 16) / 2**32 < FROZEN_SHARE


def _unlabelled(known: set[str]) -> Iterator[str]:
    """Messages that customers wrote, from every slice that has some, each once, nobody's data in it."""
    texts = (
        redact(text) for source in settings.UNLABELLED for text in import_string(source)(MESSAGES)
    )
    yield from (text for text in dict.fromkeys(texts) if text not in known)
