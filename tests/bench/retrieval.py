"""The search over a tenant's knowledge, on public question-answer sets in both languages.

The constants of `ml.retrieval` and `ml.lexical` were chosen on every second question of both sets;
InsuranceQA is examined on the others. StackFAQ's tuned row is a cross-validation over five folds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ml import weights
from ml.adapters import Adapter
from ml.background import sentences
from ml.encoder import Kind
from ml.finetune import Config, tune
from ml.intent import some
from ml.lexical import LexicalIndex
from ml.retrieval import Passages, Question, Retriever, read
from ml.types import Example, Vectors
from tests.bench import questions
from tests.bench.questions import DEPTH, Ranking, Task
from tests.bench.tuned import Bench, Clock

PASSAGES = 10_000
TIMED = 200
PARTS = 4  # sentences of a passage whose search is timed
FOLDS = 5

PROTOCOL = {
    "stackfaq_map": "1,249 questions to 770 answers of 125 threads, any answer of the thread is right; "
    "default encoder, nothing tuned; what else is asked is told by the other half of the questions, "
    "without answers",
    "stackfaq_ndcg10": "the same",
    "stackfaq_tuned_map": "MiniLM-L6 tuned for four epochs on four fifths of the questions and the answers "
    "of their threads, the others asked; all five folds, so that each question is asked once",
    "stackfaq_tuned_ndcg10": "the same",
    "insuranceqa_mrr": "the 1,000 questions that chose nothing, all 6,000 answers; fused, with the other "
    "questions, without answers, for what else is asked",
    "insuranceqa_recall10": "the same",
    "insuranceqa_gain": "MRR above the better of BM25 and the frozen encoder",
    "search_p95_ratio": "p95 of a search over 10,000 passages ÷ median of one encoder pass, in turn",
}


class Encoded:
    """Vectors of texts, each of which is encoded once, whoever asks for it."""

    def __init__(self, bench: Bench, adapter: Adapter | None = None) -> None:
        self._bench, self._adapter = bench, adapter
        self._known: dict[tuple[str, Kind], Vectors] = {}
        self._read: dict[tuple[str, ...], Vectors] = {}

    def __call__(self, texts: Sequence[str], kind: Kind = "query") -> Vectors:
        new = list(dict.fromkeys(text for text in texts if (text, kind) not in self._known))
        if new:
            encode = self._bench.encoder.encode
            made = encode(new, kind=kind, adapter=self._adapter, progress=Clock())
            self._known |= {(text, kind): row for text, row in zip(new, made, strict=True)}
        dimension = self._bench.encoder.dimension
        return np.asarray([self._known[text, kind] for text in texts]).reshape(-1, dimension)

    @property
    def strangers(self) -> list[Question]:
        """What tells where coincidence ends."""
        return [*map(Question, sentences(), self(sentences()))]

    def passages(self, task: Task) -> Vectors:
        """As the product reads them."""
        key = tuple(task.texts)
        if key not in self._read:
            none = [[]] * len(task.answers)
            self._read[key], _ = read(
                task.headings,
                task.answers,
                none,
                self._bench.encoder,
                adapter=self._adapter,
                progress=Clock(),
            )
        return self._read[key]


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    figures: dict[str, Any] = dict.fromkeys(PROTOCOL)
    default = Bench("", threads=2)
    encoded = Encoded(default)
    whole = questions.stackfaq(data / "stackfaq")
    stack, insurance = whole, questions.insurance(data / "insuranceqa_zh")
    others, earlier = (insurance.asked(slice(half, None, 2)) for half in (0, 1))
    if quick:
        stack, others = whole.asked(slice(None, None, 4)), others.asked(slice(250)).among(1_000)
    _say(f"StackFAQ: {len(stack.questions)} questions, {len(stack.answers)} answers")
    ways = _alone(encoded, stack) | {"": _by_halves(encoded, stack)}
    for name, rankings in ways.items():
        figures |= _precision(f"stackfaq{name}", rankings, stack)
    english = Encoded(Bench(weights.ENGLISH, threads=2))
    figures |= _precision("stackfaq_english", _by_halves(english, stack), stack)
    _say(f"InsuranceQA: {len(others.questions)} questions, {len(others.answers)} answers")
    asked = some(encoded(earlier.questions))
    ways = _alone(encoded, others) | {"": _fused(encoded, others, asked)}
    for name, rankings in ways.items():
        figures[f"insuranceqa_mrr{name}"] = questions.mrr(rankings, others.right)
        figures[f"insuranceqa_recall10{name}"] = questions.recall(rankings, others.right)
    figures["insuranceqa_gain"] = figures["insuranceqa_mrr"] - max(
        figures["insuranceqa_mrr_bm25"], figures["insuranceqa_mrr_dense"]
    )
    figures["search_p95_ratio"] = _speed(encoded, default, others)
    _say("StackFAQ: tuning")
    return figures | _tuned(data, whole, quick=quick), PROTOCOL


def _alone(encoded: Encoded, task: Task) -> dict[str, list[Ranking]]:
    """Rankings of everything by words alone and by meaning alone."""
    lexical = LexicalIndex.build(task.texts)
    words = [_best(lexical.scores(question).scores) for question in task.questions]
    cosines = encoded(task.questions) @ encoded(task.texts, "passage").T
    return {"_bm25": words, "_dense": [_best(row) for row in cosines]}


def _by_halves(encoded: Encoded, task: Task) -> list[Ranking]:
    """Each half of the questions beside the other, which tells what else is asked."""
    halves = [task.asked(slice(half, None, 2)) for half in (0, 1)]
    rankings: list[Ranking] = [[]] * len(task.questions)
    for place, (half, other) in enumerate(zip(halves, reversed(halves), strict=True)):
        rankings[place::2] = _fused(encoded, half, some(encoded(other.questions)))
    return rankings


def _fused(encoded: Encoded, task: Task, asked: Vectors) -> list[Ranking]:
    """As the product searches that knows of questions `asked`; beyond its candidates nothing is found."""
    retriever = _retriever(encoded, task)
    crowding = retriever.crowding(asked)
    each = zip(task.questions, encoded(task.questions), strict=True)
    found = [retriever.search(Question(*one), len(retriever), crowding=crowding) for one in each]
    return [[int(hit.id) for hit in hits] for hits in found]


def _retriever(encoded: Encoded, task: Task) -> Retriever:
    vectors = encoded.passages(task)
    passages = Passages([str(row) for row in range(len(vectors))], task.texts, vectors)
    return Retriever(passages, encoded.strangers)


def _tuned(data: Path, whole: Task, *, quick: bool) -> dict[str, float]:
    """Two trainings side by side, a thread each; the quick form has one fold."""
    folds = range(1 if quick else FOLDS)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        found = [*pool.map(_fold, repeat(data), folds, repeat(1 if quick else 4))]
    asked = [whole.asked(slice(fold, None, FOLDS)) for fold in folds]
    right = [answers for task in asked for answers in task.right]
    rankings = [ranking for fold in found for ranking in fold]
    return _precision("stackfaq_tuned", rankings, replace(whole, right=right))


def _fold(data: Path, fold: int, epochs: int) -> list[Ranking]:
    """What a model finds for the fold's questions that was taught all others.

    Threads are intents, their questions examples, and questions of their answers.
    """
    bench, task = Bench(weights.ENGLISH, threads=1), questions.stackfaq(data / "stackfaq")
    texts, taught, passages = task.texts, [], []
    for number, (question, right) in enumerate(zip(task.questions, task.right, strict=True)):
        if number % FOLDS != fold:
            taught.append(Example(question, task.headings[min(right)]))
            passages += [(question, texts[row]) for row in sorted(right)]
    # One short training: the passages, long as they are, make each step ten times dearer.
    changes = {"epochs": epochs, "refit": False, "held_out": 0.0}
    model = tune(
        bench.encoder,
        bench.folder,
        taught,
        passages=passages,
        background=sentences(),
        config=Config.suited(len(taught), passages=len(passages), threads=1, **changes),
        progress=Clock(),
    )
    part = task.asked(slice(fold, None, FOLDS))
    return _fused(Encoded(bench, model.adapter), part, model.asked)


def _speed(encoded: Encoded, bench: Bench, task: Task) -> float:
    """One search and one encoder pass in turn, so that both meet the same moments of the machine."""
    _say(f"search over {PASSAGES:,} passages")
    rows = [row % len(task.answers) for row in range(PASSAGES)]
    vectors = encoded(task.answers, "passage")[rows]
    texts = [f"{place} {task.answers[row]}" for place, row in enumerate(rows)]
    parts = [vectors[row : row + PARTS] for row in range(PASSAGES)]
    passages = Passages([str(place) for place in range(PASSAGES)], texts, vectors, parts)
    retriever = Retriever(passages, encoded.strangers)
    crowding = retriever.crowding(some(encoded(task.questions)))
    searches, passes = [], []
    for text in (task.questions * TIMED)[:TIMED]:
        started = time.perf_counter()
        vector = bench.encoder.encode([text])[0]
        encoded_at = time.perf_counter()
        retriever.search(Question(text, vector), DEPTH, crowding=crowding)
        searches.append(time.perf_counter() - encoded_at)
        passes.append(encoded_at - started)
    return float(np.quantile(searches, 0.95) / np.median(passes))


def _precision(name: str, rankings: list[Ranking], task: Task) -> dict[str, float]:
    return {
        f"{name}_map": questions.average_precision(rankings, task.right),
        f"{name}_ndcg10": questions.ndcg(rankings, task.right),
    }


def _best(scores: Vectors) -> Ranking:
    found: Ranking = np.argsort(-scores, kind="stable").tolist()
    return found


def _say(line: str) -> None:
    print(f"  {line}", flush=True)
