"""Tuned intent models on public sets: accuracy, calibration, scope, cost, and what each switch gains.

Settings are the product's own for data of that size (`Config.suited`); they were chosen on parts cut
from the training data. A test part is scored once for each model and decides nothing here.
"""

from __future__ import annotations

import random
import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml import augment, discovery, weights
from ml.finetune import Config
from ml.types import Example
from tests.bench import cost, lasting, sets
from tests.bench.sets import IntentSet
from tests.bench.tuned import Bench, Scores

SEEDS = 5
SWITCHES = ("contrastive", "adversarial", "typos", "pretrain", "self_training")

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
    "smp2017": "official test; multilingual-e5-small tuned on train alone",
    "ece_max": "the greatest expected calibration error (15 bins) of the rows above",
    "typo_loss": "BANKING77 full: test accuracy less that with typing errors in every text",
    "forgetting": "BANKING77: 52 intents, then five rounds of five; accuracy lost on the 52",
    "clusters_ari": "BANKING77 train without labels: proposed intents against the 77",
    "clusters_found": "share of the 77 that are the commonest of some proposal, by half at least",
    "train_cpu_s_10shot": "CPU seconds of `python -m ml tune`, the whole process; DIET: 458",
}


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    english = Bench(weights.ENGLISH)
    rows = Rows(dict.fromkeys(PROTOCOL), dict(PROTOCOL))
    step = 4 if quick else 1
    bank = sets.banking77(data / "banking77").every(step)
    _whole_sets(rows, english, bank, data, step=step)
    for shots in (5, 10):
        _few_shot(rows, english, sets.banking77(data / "banking77", shots=shots), shots, quick)
    _switches(rows, english, sets.banking77(data / "banking77", shots=10), quick)
    forgetting = lasting.measure(english, bank.thinned(3), config=Config.suited(1_000))
    rows.put("forgetting", forgetting.lost)
    for round_, accuracy in enumerate(forgetting.curve):
        rows.put(f"old_intents_after_{round_}", accuracy, "the 52, among all intents known by then")
    _clusters(rows, english, bank)
    ten = sets.banking77(data / "banking77", shots=10)
    _cost(rows, data / "banking77" / "train_10.csv", ten, quick)
    notes = {"quick": "a quarter of the texts, one seed"} if quick else {}
    return rows.figures, rows.protocol | notes


class Rows:
    """The figures, told as they come."""

    def __init__(self, figures: dict[str, Any], protocol: dict[str, Any]) -> None:
        self.figures, self.protocol = figures, protocol

    def put(self, name: str, value: float | None, protocol: str = "") -> None:
        self.figures[name] = value
        if protocol:
            self.protocol[name] = protocol
        print(f"  {name} {'-' if value is None else f'{value:.4f}'}", flush=True)

    def scored(self, name: str, scores: Scores) -> None:
        self.put(name, scores.accuracy)
        self.put(f"{name}_ece", scores.ece, "expected calibration error of the same row, 15 bins")
        self.figures["ece_max"] = max(self.figures["ece_max"] or 0.0, scores.ece)


def _whole_sets(rows: Rows, english: Bench, bank: IntentSet, data: Path, *, step: int) -> None:
    multilingual = Bench("")
    clinc = sets.clinc150(data / "clinc150").every(step)
    smp = sets.smp2017(data / "smp2017").every(min(step, 2))
    for name, bench, given in (
        ("banking77_full", english, bank),
        ("clinc150", english, clinc),
        ("smp2017", multilingual, smp),
        ("banking77_full_multilingual", multilingual, bank),
    ):
        print(f"{name}: {bench.name}", flush=True)
        frozen = bench.score(bench.instant(given), given)
        rows.put(f"{name}_instant", frozen.accuracy, f"the instant model on frozen {bench.name}")
        model = bench.tuned(given, Config.suited(len(given.train)))
        scores = bench.score(model, given)
        rows.scored(name, scores)
        rows.put(f"{name}_cpu_s", model.metrics["cpu_seconds"], "CPU seconds of tuning")
        rows.put(f"{name}_examples_per_s", model.metrics["examples_per_second"], "while tuning")
        if name == "clinc150":
            _scope(rows, scores)
        if name == "banking77_full":
            _typos(rows, bench, model, given, clean=scores.accuracy)


def _scope(rows: Rows, scores: Scores) -> None:
    rows.put("clinc150_oos_auroc", scores.auroc)
    rows.put("clinc150_oos_recall", scores.recall)
    rows.put("clinc150_accepted_right", scores.accepted, "in scope and right at the own threshold")
    rows.put("clinc150_oos_refused", scores.refused, "oos_test turned away at the own threshold")


def _typos(rows: Rows, bench: Bench, model: Any, given: IntentSet, *, clean: float) -> None:
    rng = random.Random(0)
    wrong = [Example(augment.typos(e.text, rng), e.label) for e in given.test]
    rows.put("typo_loss", clean - bench.accuracy(model, wrong))


def _few_shot(rows: Rows, bench: Bench, given: IntentSet, shots: int, quick: bool) -> None:
    name = f"banking77_{shots}shot"
    given = given.every_test(4 if quick else 1)
    print(name, flush=True)
    frozen = bench.score(bench.instant(given), given).accuracy
    rows.put(f"{name}_instant", frozen, f"the instant model on frozen {bench.name}")
    for suffix, unlabelled in (("_supervised", False), ("", True)):
        found = [
            bench.score(
                bench.tuned(given, _config(given, seed, unlabelled), unlabelled=unlabelled), given
            )
            for seed in range(1 if quick else SEEDS)
        ]
        accuracies = [scores.accuracy for scores in found]
        rows.put(f"{name}{suffix}", statistics.fmean(accuracies))
        rows.put(f"{name}{suffix}_sd", statistics.pstdev(accuracies), "over the seeds")
        worst = max(scores.ece for scores in found)
        rows.put(f"{name}{suffix}_ece", worst, "the greatest of the seeds, 15 bins")
        if not suffix:
            rows.figures["ece_max"] = max(rows.figures["ece_max"] or 0.0, worst)
    rows.protocol[f"{name}_supervised"] = "the same without any text that has no label"


def _config(given: IntentSet, seed: int, unlabelled: bool) -> Config:
    messages = len(given.unlabelled) if unlabelled else 0
    return Config.suited(len(given.train), unlabelled=messages, seed=seed)


def _switches(rows: Rows, bench: Bench, given: IntentSet, quick: bool) -> None:
    """Each switch alone against none of them, 10 shots, seed 0."""
    given = given.every_test(4 if quick else 1)
    off = dict.fromkeys(SWITCHES, "off")
    plain = _with(bench, given, off)
    for name in SWITCHES[: 1 if quick else None]:
        gain = _with(bench, given, off | {name: "on"}) - plain
        rows.put(
            f"gain_{name}", gain, "10 shots, official test, seed 0: on less off, all others off"
        )


def _with(bench: Bench, given: IntentSet, switches: dict[str, Any]) -> float:
    config = Config.suited(len(given.train), **switches)
    return bench.score(bench.tuned(given, config, unlabelled=True), given).accuracy


def _clusters(rows: Rows, bench: Bench, given: IntentSet) -> None:
    vectors = bench.encoder.encode([example.text for example in given.train])
    groups = discovery.group(vectors)
    labels = [example.label for example in given.train]
    rows.put("clusters_ari", discovery.clusters_ari(groups, labels))
    rows.put("clusters_found", discovery.clusters_found(groups, labels))


def _cost(rows: Rows, file: Path, given: IntentSet, quick: bool) -> None:
    spent = cost.measure(file, [] if quick else given.unlabelled, encoder=weights.ENGLISH)
    rows.put("train_cpu_s_10shot", spent.cpu_s)
    rows.put(
        "train_peak_bytes_10shot", float(spent.peak_bytes), "of the same process; DIET: 2.6 GB"
    )
