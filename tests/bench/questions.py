"""Questions with the answers that are right, from public sets, and how well a ranking finds them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ml.retrieval import text_of

DEPTH = 10
Ranking = list[int]


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

    def among(self, count: int) -> Task:
        """With so many answers only: those that are right, and the first of the others."""
        wanted = set().union(*self.right)
        others = [row for row in range(len(self.answers)) if row not in wanted]
        rows = sorted([*wanted, *others[: max(0, count - len(wanted))]])
        places = {row: place for place, row in enumerate(rows)}
        return Task(
            [self.headings[row] for row in rows],
            [self.answers[row] for row in rows],
            self.questions,
            [{places[row] for row in right} for right in self.right],
        )


def stackfaq(folder: Path) -> Task:
    """Paraphrased questions of 125 threads, every answer of the thread is right."""
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


def insurance(folder: Path) -> Task:
    """Chinese questions and 6,000 answers without headings."""
    answers = _lines(folder / "answers.jsonl.gz")
    places = {answer["id"]: row for row, answer in enumerate(answers)}
    asked = _lines(folder / "questions.jsonl.gz")
    return Task(
        [""] * len(answers),
        [answer["text"] for answer in answers],
        [question["question"] for question in asked],
        [{places[id_] for id_ in question["answers"]} for question in asked],
    )


def average_precision(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    """Its mean (MAP), over all that is right, found or not."""
    found = []
    for ranking, wanted in zip(rankings, right, strict=True):
        hits = np.asarray([row in wanted for row in ranking])
        precisions = hits.cumsum() / np.arange(1, len(hits) + 1)
        found.append(float(precisions[hits].sum()) / len(wanted))
    return float(np.mean(found))


def ndcg(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    gains = 1 / np.log2(np.arange(2, DEPTH + 2))
    found = []
    for ranking, wanted in zip(rankings, right, strict=True):
        hits = np.asarray([row in wanted for row in ranking[:DEPTH]])
        found.append(gains[: len(hits)][hits].sum() / gains[: len(wanted)].sum())
    return float(np.mean(found))


def mrr(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    places = (
        next((place for place, row in enumerate(ranking, start=1) if row in wanted), 0)
        for ranking, wanted in zip(rankings, right, strict=True)
    )
    return float(np.mean([1 / place if place else 0.0 for place in places]))


def recall(rankings: Sequence[Ranking], right: Sequence[set[int]]) -> float:
    shares = (
        len(wanted & set(ranking[:DEPTH])) / len(wanted)
        for ranking, wanted in zip(rankings, right, strict=True)
    )
    return float(np.mean(list(shares)))


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
