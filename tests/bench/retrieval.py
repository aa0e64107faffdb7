"""The search over a tenant's knowledge, on public question-answer sets in both languages.

The constants of `ml.retrieval` and `ml.lexical` were chosen on every second question of both sets;
InsuranceQA is examined on the others. StackFAQ's tuned row is trained on every second question of
each thread and examined on the others.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ml import weights
from ml.background import sentences
from ml.finetune import Config, tune
from ml.lexical import LexicalIndex
from ml.retrieval import Passages, Question, Retriever, passage_vectors, text_of
from ml.types import Example, Vectors
from tests.bench.tuned import Bench, Clock

DEPTH = 10
PASSAGES = 10_000
TIMED = 200

PROTOCOL = {
    "stackfaq_map": "1,249 questions to 770 answers of 125 threads, any answer of the thread is right; "
    "default encoder, nothing tuned",
    "stackfaq_ndcg10": "the same",
    "stackfaq_tuned_map": "default encoder tuned on every second question, the others asked",
    "stackfaq_tuned_ndcg10": "the same",
    "insurance_mrr": "the 1,000 questions that chose nothing, all 6,000 answers; fused",
    "insurance_recall10": "the same",
    "insurance_gain": "MRR above the better of BM25 and the frozen encoder",
    "search_p95_ratio": "p95 of a search over 10,000 passages ÷ median of one encoder pass, in turn",
}


@dataclass(frozen=True)
class Task:
    """Questions and, for each, the rows of the answers that are right."""

    headings: list[str]
    answers: list[str]
    questions: list[str]
    right: list[set[int]]

    @property
    def texts(self) -> list[str]:
        return [text_of(*pair) for pair in zip(self.headings, self.answers, strict=True)]

    def asked(self, part: slice) -> Task:
        return replace(self, questions=self.questions[part], right=self.right[part])


Ranking = list[int]


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    figures: dict[str, Any] = dict.fromkeys(PROTOCOL)
    default = Bench("", threads=2)
    stack, insurance = _stackfaq(data / "stackfaq"), _insurance(data / "insuranceqa_zh")
    if quick:
        stack, insurance = stack.asked(slice(None, None, 4)), insurance.asked(slice(None, None, 4))
    for name, rankings in _ways(default, stack).items():
        figures |= {f"stackfaq{name}_map": _map(rankings, stack.right)}
        figures |= {f"stackfaq{name}_ndcg10": _ndcg(rankings, stack.right)}
    english = _fused(Bench(weights.ENGLISH, threads=2), stack, None)
    figures["stackfaq_english_map"] = _map(english, stack.right)
    figures["stackfaq_english_ndcg10"] = _ndcg(english, stack.right)
    others = insurance.asked(slice(0, None, 2))
    for name, rankings in _ways(default, others).items():
        figures |= {f"insurance{name}_mrr": _mrr(rankings, others.right)}
        figures |= {f"insurance{name}_recall10": _recall(rankings, others.right)}
    figures["insurance_gain"] = figures["insurance_mrr"] - max(
        figures["insurance_bm25_mrr"], figures["insurance_frozen_mrr"]
    )
    figures["search_p95_ratio"] = _speed(default, insurance)
    figures |= _tuned(default, _stackfaq(data / "stackfaq"), quick=quick)
    return figures, PROTOCOL


def _ways(bench: Bench, task: Task) -> dict[str, list[Ranking]]:
    lexical = LexicalIndex.build(task.texts)
    words = [_best(lexical.shares(question)) for question in task.questions]
    cosines = (
        bench.encoder.encode(task.questions) @ bench.encoder.encode(task.texts, kind="passage").T
    )
    meaning = [_best(row) for row in cosines]
    return {"": _fused(bench, task, None), "_bm25": words, "_frozen": meaning}


def _fused(bench: Bench, task: Task, adapter: Any) -> list[Ranking]:
    """As the product searches; beyond its candidates nothing is found."""
    retriever, encode = _retriever(bench, task, adapter)
    vectors = encode(task.questions, kind="query")
    asked = [Question(text, vector) for text, vector in zip(task.questions, vectors, strict=True)]
    return [[int(hit.id) for hit in retriever.search(each, len(retriever))] for each in asked]


def _retriever(bench: Bench, task: Task, adapter: Any) -> tuple[Retriever, Callable[..., Vectors]]:
    encode = partial(bench.encoder.encode, adapter=adapter)
    vectors = passage_vectors(
        task.headings, task.answers, lambda texts, kind: encode(list(texts), kind=kind)
    )
    background = sentences()
    others = Passages(background, background, encode(background, kind="query"))
    return Retriever(
        Passages([str(n) for n in range(len(vectors))], task.texts, vectors), others
    ), encode


def _tuned(bench: Bench, task: Task, *, quick: bool) -> dict[str, float]:
    """Threads as intents, their questions as examples, and as questions of their first answers."""
    places = {heading: row for row, heading in reversed(list(enumerate(task.headings)))}
    own = [task.headings[min(right)] for right in task.right]
    taught = [(q, heading) for q, heading in list(zip(task.questions, own, strict=True))[::2]]
    passages = [(q, task.texts[places[heading]]) for q, heading in taught]
    changes = {"epochs": 2, "refit": False} if quick else {}
    model = tune(
        bench.encoder,
        bench.folder,
        [Example(question, heading) for question, heading in taught],
        passages=passages,
        background=sentences(),
        config=Config.suited(len(taught), passages=len(passages), threads=2, **changes),
        progress=Clock(),
    )
    others = task.asked(slice(1, None, 2))
    rankings = _fused(bench, others, model.adapter)
    return {
        "stackfaq_tuned_map": _map(rankings, others.right),
        "stackfaq_tuned_ndcg10": _ndcg(rankings, others.right),
    }


def _speed(bench: Bench, task: Task) -> float:
    """One search and one encoder pass in turn, so that both meet the same moments of the machine."""
    answers = [f"{number} {text}" for number in range(2) for text in task.answers][:PASSAGES]
    big = Task([""] * len(answers), answers, [], [])
    vectors = np.tile(bench.encoder.encode(task.answers, kind="passage"), (2, 1))[:PASSAGES]
    background = sentences()
    others = Passages(background, background, bench.encoder.encode(background))
    retriever = Retriever(
        Passages([str(n) for n in range(len(answers))], big.texts, vectors), others
    )
    searches, passes = [], []
    for text in (task.questions * TIMED)[:TIMED]:
        started = time.perf_counter()
        vector = bench.encoder.encode([text])[0]
        passes.append(time.perf_counter() - started)
        started = time.perf_counter()
        retriever.search(Question(text, vector), DEPTH)
        searches.append(time.perf_counter() - started)
    return float(np.quantile(searches, 0.95) / np.median(passes))


def _best(scores: Vectors) -> Ranking:
    found: Ranking = np.argsort(-scores, kind="stable").tolist()
    return found


def _map(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    """Mean average precision over all that is right, found or not."""
    found = []
    for ranking, wanted in zip(rankings, right, strict=True):
        hits = np.asarray([row in wanted for row in ranking])
        precisions = hits.cumsum() / np.arange(1, len(hits) + 1)
        found.append(float(precisions[hits].sum()) / len(wanted))
    return float(np.mean(found))


def _ndcg(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    gains = 1 / np.log2(np.arange(2, DEPTH + 2))
    found = []
    for ranking, wanted in zip(rankings, right, strict=True):
        hits = np.asarray([row in wanted for row in ranking[:DEPTH]])
        found.append(gains[: len(hits)][hits].sum() / gains[: len(wanted)].sum())
    return float(np.mean(found))


def _mrr(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    places = (
        next((place for place, row in enumerate(ranking, start=1) if row in wanted), 0)
        for ranking, wanted in zip(rankings, right, strict=True)
    )
    return float(np.mean([1 / place if place else 0.0 for place in places]))


def _recall(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    shares = (
        len(wanted & set(ranking[:DEPTH])) / len(wanted)
        for ranking, wanted in zip(rankings, right, strict=True)
    )
    return float(np.mean(list(shares)))


def _stackfaq(folder: Path) -> Task:
    with gzip.open(folder / "stackExchange-FAQ.json.gz", "rt", encoding="utf-8") as file:
        threads = json.load(file)["root"]["qapair"]
    task = Task([], [], [], [])
    for thread in threads:
        answers = list(dict.fromkeys(thread["answer"]))
        rows = set(range(len(task.answers), len(task.answers) + len(answers)))
        task.headings.extend([thread["question"]] * len(answers))
        task.answers.extend(answers)
        questions = [question for question in thread["rephr"] if question and question != "*"]
        task.questions.extend(questions)
        task.right.extend([rows] * len(questions))
    return task


def _insurance(folder: Path) -> Task:
    answers = _lines(folder / "answers.jsonl.gz")
    places = {answer["id"]: row for row, answer in enumerate(answers)}
    asked = _lines(folder / "questions.jsonl.gz")
    return Task(
        [""] * len(answers),
        [answer["text"] for answer in answers],
        [question["question"] for question in asked],
        [{places[id_] for id_ in question["answers"]} for question in asked],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
