"""Tuned intent models on public sets: accuracy, calibration, scope, cost, and what each switch gains.

Settings are the product's own for data of that size (`Config.suited`); they were chosen on parts cut
from the training data. A test part is scored once for each model and decides nothing here. Several
trainings run side by side, each in a process and a thread of its own.
"""

from __future__ import annotations

import os
import random
import statistics
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ml import augment, discovery, shapes, weights
from ml.finetune import Config
from ml.types import Example
from saas import language_model
from saas.training.paraphrase import paraphraser
from tests.bench import cost, lasting, search, sets
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")  # which language model there is
SEEDS = 5
SUPERVISED = 2  # seeds of the rows without unlabelled texts, which stand beside the others
ENGLISH, MULTILINGUAL = weights.ENGLISH, ""
NEEDED = {  # by the gains that not each run has
    "homophones": "the full form",
    "hard_negatives": "the full form",
    "paraphrase": "the full form, LLM_BASE_URL and LLM_MODEL",
}
SWITCHES = ("consistency", "contrastive", "adversarial", "typos", "pretrain", "self_training")

PROTOCOL = {
    "banking77_full": "official test; MiniLM-L6 tuned on train",
    "banking77_10shot": "official test; MiniLM-L6, 10 labels an intent, mean of the seeds; "
    "self-training on the other training texts without their labels",
    "banking77_5shot": "the same with 5 labels an intent",
    "banking77_full_multilingual": "official test; multilingual-e5-small tuned on train",
    "clinc150": "official in-scope test; MiniLM-L6 tuned on train, no out-of-scope text",
    "clinc150_oos_auroc": "scope score of the same model: test against oos_test",
    "clinc150_oos_recall": "share of oos_test turned away where the curve keeps in-scope accuracy "
    "(what it turns away counts as wrong) at 0.955 or more",
    "smp2017": "official test; multilingual-e5-small tuned on train and dev, with settings that were "
    "chosen on dev without training on it",
    "ece_max": "the greatest expected calibration error (15 bins) of the rows above",
    "typo_loss": "BANKING77 full: test accuracy less that with typing errors in every text",
    "forgetting": "BANKING77: 52 intents, then five rounds of five; accuracy lost on the 52",
    "clusters_ari": "BANKING77 train without labels: proposed intents against the 77",
    "clusters_found": "share of the 77 that are the commonest of some proposal, by half at least",
    "train_cpu_s_10shot": "CPU seconds of `python -m ml tune`, the whole process; DIET: 458",
}

Found = dict[str, tuple[float | None, str]]
"""Figures with their protocol, "" where `PROTOCOL` has it."""


@dataclass(frozen=True)
class Size:
    """How much of everything: `step` takes each so many-th text."""

    data: Path
    quick: bool

    @property
    def step(self) -> int:
        return 4 if self.quick else 1

    @property
    def changes(self) -> dict[str, Any]:
        """What is told to each training besides the product's own settings."""
        if not self.quick:
            return {}
        return {"epochs": 2, "refit": False, "consistency": "off", "guessed": 2_000}

    def bank(self) -> IntentSet:
        return sets.banking77(self.data / "banking77").every(self.step)

    def few(self, shots: int) -> IntentSet:
        return sets.banking77(self.data / "banking77", shots=shots).every_test(self.step)

    def clinc(self) -> IntentSet:
        return sets.clinc150(self.data / "clinc150").every(self.step)

    def smp(self) -> IntentSet:
        given = sets.smp2017(self.data / "smp2017", development=True)
        return given.every(2 if self.quick else 1)


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    size = Size(data, quick)
    rows = Rows()
    pool = running.enter_context(
        ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=_alone)
    )
    for done in as_completed(_send(pool, size)):
        rows.put(done.result())
    rows.put(_cost(size))
    rows.summarise()
    notes = {"quick": "a quarter of the texts, one seed, two epochs"} if quick else {}
    return rows.figures, rows.protocol | notes


def _alone() -> None:
    """Two threads of one training are hardly faster than one; two trainings are, by a third."""
    import torch
    from threadpoolctl import threadpool_limits

    shapes.keep_few()
    torch.set_num_threads(1)
    threadpool_limits(1)


@cache
def _bench(encoder: str) -> Bench:
    return Bench(encoder, threads=1)


def _send(pool: ProcessPoolExecutor, size: Size) -> list[Future[Found]]:
    """The longest first, so that none is left alone at the end."""
    seeds = range(1 if size.quick else SEEDS)
    full: list[tuple[Callable[..., Found], Any]] = [
        *((_few_shot, (shots, s, False)) for shots in (10, 5) for s in seeds[:SUPERVISED]),
        *((_homophones, None), (_passages, None)),
        *([(_switch, "paraphrase")] if language_model.is_set() else ()),
    ]
    jobs: list[tuple[Callable[..., Found], Any]] = [
        *((_whole, name) for name in WHOLE),
        (_forgetting, None),
        *((_few_shot, (shots, s, True)) for shots in (10, 5) for s in seeds),
        *(() if size.quick else full),
        *((_switch, name) for name in ("", *SWITCHES[: 1 if size.quick else None])),
        (_clusters, None),
    ]
    return [pool.submit(job, size, what) for job, what in jobs]


class Rows:
    """The figures, told as they come."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = dict.fromkeys(PROTOCOL)
        self.protocol = dict(PROTOCOL)

    def put(self, found: Found) -> None:
        for name, (value, protocol) in found.items():
            self.figures[name] = value
            if protocol:
                self.protocol[name] = protocol
            print(f"  {name} {'-' if value is None else f'{value:.4f}'}", flush=True)

    def summarise(self) -> None:
        """Means and deviations of the seeds, gains against no switch, the worst calibration."""
        for name in ("banking77_10shot", "banking77_5shot"):
            for kind in ("", "_supervised"):
                self._mean(f"{name}{kind}")
        for name in (*SWITCHES, "paraphrase"):
            on = self.figures.get(f"switched_{name}")
            if on is not None:
                told = "5 shots, official test, seed 0, no refit: on less off, all others off"
                self.put({f"gain_{name}": (on - self.figures["switched_off"], told)})
        for name, needed in NEEDED.items():
            if f"gain_{name}" not in self.figures:
                self.put({f"gain_{name}": (None, f"needs {needed}")})
        calibrated = [self.figures.get(name) for name in (*(f"{n}_ece" for n in WHOLE), *FEW_ECE)]
        self.put({"ece_max": (max(ece for ece in calibrated if ece is not None), "")})

    def _mean(self, name: str) -> None:
        found = [v for n, v in self.figures.items() if n.startswith(f"{name}_seed")]
        if not found:
            return
        errors = [v for n, v in self.figures.items() if n.startswith(f"{name}_ece_seed")]
        told = "" if name in PROTOCOL else "the same without any text that has no label"
        self.put(
            {
                name: (statistics.fmean(found), told),
                f"{name}_sd": (statistics.pstdev(found), "over the seeds"),
                f"{name}_ece": (statistics.fmean(errors), "15 bins, mean of the seeds"),
                f"{name}_ece_worst": (max(errors), "15 bins, the worst of the seeds"),
            }
        )


FEW_ECE = ("banking77_10shot_ece", "banking77_5shot_ece")
WHOLE: dict[str, tuple[str, Callable[[Size], IntentSet]]] = {
    "banking77_full_multilingual": (MULTILINGUAL, Size.bank),
    "clinc150": (ENGLISH, Size.clinc),
    "banking77_full": (ENGLISH, Size.bank),
    "smp2017": (MULTILINGUAL, Size.smp),
}


def _whole(size: Size, name: str) -> Found:
    """One set with all its examples: before tuning and after it."""
    encoder, take = WHOLE[name]
    bench, given = _bench(encoder), take(size)
    frozen = bench.score(bench.instant(given), given)
    model = bench.tuned(given, Config.suited(len(given.train), **size.changes))
    scores = bench.score(model, given)
    found: Found = {
        f"{name}_instant": (frozen.accuracy, f"the instant model on frozen {bench.name}"),
        name: (scores.accuracy, ""),
        f"{name}_ece": (scores.ece, "expected calibration error of the same row, 15 bins"),
        f"{name}_cpu_s": (model.metrics["cpu_seconds"], "CPU seconds of tuning, one thread"),
        f"{name}_examples_per_s": (model.metrics["examples_per_second"], "while tuning, a thread"),
    }
    if name == "clinc150":
        found |= {
            "clinc150_oos_auroc": (scores.auroc, ""),
            "clinc150_oos_recall": (scores.recall, ""),
            "clinc150_accepted_right": (scores.accepted, "in scope and right, own threshold"),
            "clinc150_oos_refused": (scores.refused, "oos_test turned away, own threshold"),
        }
    if name == "banking77_full":
        found["typo_loss"] = (scores.accuracy - _with_typos(bench, model, given), "")
    return found


def _with_typos(bench: Bench, model: Any, given: IntentSet) -> float:
    rng = random.Random(0)
    return bench.accuracy(model, [Example(augment.typos(e.text, rng), e.label) for e in given.test])


def _few_shot(size: Size, what: tuple[int, int, bool]) -> Found:
    shots, seed, unlabelled = what
    bench, given = _bench(ENGLISH), size.few(shots)
    messages = len(given.unlabelled) if unlabelled else 0
    config = Config.suited(len(given.train), unlabelled=messages, seed=seed, **size.changes)
    scores = bench.score(bench.tuned(given, config, unlabelled=unlabelled), given)
    name = f"banking77_{shots}shot{'' if unlabelled else '_supervised'}"
    found: Found = {
        f"{name}_seed{seed}": (scores.accuracy, "official test"),
        f"{name}_ece_seed{seed}": (scores.ece, "15 bins"),
    }
    if not unlabelled and not seed:
        frozen = bench.score(bench.instant(given), given).accuracy
        found[f"banking77_{shots}shot_instant"] = (frozen, f"the instant model, {bench.name}")
    return found


def _switch(size: Size, name: str) -> Found:
    """A switch alone, or none; what was held out stays out, which is enough to compare."""
    bench, given = _bench(ENGLISH), size.few(5)
    # Self-training goes with passes of its own: few over many messages.
    messages = len(given.unlabelled) if name == "self_training" else 0
    on = {name: "on"} if name else {}
    changes = size.changes | {"refit": False} | dict.fromkeys(SWITCHES, "off") | on
    config = Config.suited(len(given.train), unlabelled=messages, **changes)
    ways = paraphraser(print) if name == "paraphrase" else None
    model = bench.tuned(given, config, unlabelled=True, paraphrase=ways)
    scores = bench.score(model, given)
    return {f"switched_{name or 'off'}": (scores.accuracy, "5 shots, official test, no refit")}


def _homophones(size: Size, _: None) -> Found:
    """A Chinese switch on a Chinese set; each twelfth example: it is for few."""
    bench, given = _bench(MULTILINGUAL), size.smp().thinned(12)
    off, on = (
        bench.score(bench.tuned(given, Config.suited(len(given.train), homophones=way)), given)
        for way in ("off", "on")
    )
    told = "SMP2017, each twelfth training text, official test, seed 0: on less off"
    return {"gain_homophones": (on.accuracy - off.accuracy, told)}


def _passages(size: Size, _: None) -> Found:
    """What hard negatives do for the search, and what tuning without them costs it."""
    off, on, frozen = search.measure(_bench(ENGLISH), size.few(10), size.data / "stackfaq")
    told = (
        "StackFAQ: MRR@10 of the answers for held-out questions, 77 intents (10 shots) tuned with "
        "(question, answer) pairs of the others: on less off"
    )
    return {
        "gain_hard_negatives": (on - off, told),
        "search_mrr_frozen": (frozen, "the same search, the encoder as it is"),
        "search_mrr_tuned": (on, "the same search, tuned with hard negatives"),
    }


def _forgetting(size: Size, _: None) -> Found:
    looks = (0, lasting.ROUNDS) if size.quick else (0, 3, lasting.ROUNDS)
    forgetting = lasting.measure(_bench(ENGLISH), size.bank(), looks, **size.changes)
    curve: Found = {
        f"old_intents_after_{rounds}": (accuracy, "the 52, among all intents known by then")
        for rounds, accuracy in forgetting.curve.items()
    }
    told = "after the last round, where only the 52 may be chosen"
    return curve | {
        "forgetting": (forgetting.lost, ""),
        "old_intents_apart": (forgetting.apart, told),
        "new_intents_after_5": (forgetting.new, "those of the rounds, among all intents"),
    }


def _clusters(size: Size, _: None) -> Found:
    bench, given = _bench(ENGLISH), size.bank()
    groups = discovery.group(bench.encoder.encode([example.text for example in given.train]))
    labels = [example.label for example in given.train]
    return {
        "clusters_ari": (discovery.clusters_ari(groups, labels), ""),
        "clusters_found": (discovery.clusters_found(groups, labels), ""),
    }


def _cost(size: Size) -> Found:
    """Alone on the machine, at the end."""
    file, given = size.data / "banking77" / "train_10.csv", size.few(10)
    unlabelled = [] if size.quick else given.unlabelled
    spent = cost.measure(file, unlabelled, encoder=ENGLISH, changes=size.changes)
    return {
        "train_cpu_s_10shot": (spent.cpu_s, ""),
        "train_peak_bytes_10shot": (float(spent.peak_bytes), "the same process; DIET: 2.6 GB"),
    }
