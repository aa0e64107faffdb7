"""What a text holds that a bot must not do: for customers' messages, and for documents that speak to it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np

from ml import signs
from ml.background import small_talk
from ml.head import Head, softmax
from ml.types import Vectors
from ml.wording import FINE, Wording

Kind = Literal["injection", "other_data", "self_harm", "harm", "abuse"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ENOUGH = 1.0  # signs that weigh this much together are a danger
# How sure the vector alone must be, and with weaker signs. Chosen with the kernel below by leaving out
# examples in turn: half of the dangers are found then, of training messages of three public intent sets
# fewer than 0.4% are taken for one, and of a forum's long answers 1%.
ALONE, TOGETHER = 0.69, 1.2
GAMMA, C = 0.25, 1.0
DOCUMENT = "document"  # the kind of signs that documents alone are read for
LEARNT = "reads like one"


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of danger, how sure (0..1), and what shows it."""

    kind: Kind
    score: float
    reason: str


class Guard:
    """Says which dangers a text holds: by its words (`ml.signs`), and by its vector.

    The vector is read by a classifier of examples written for it (ml/safety.txt). Each finds
    what the other misses: words that are known, and a meaning said in other ones. Who has texts of
    their own trains a `Wording` beside them.
    """

    def __init__(self, head: Head, wording: Wording | None = None) -> None:
        self._head = head
        self._wording = wording

    @classmethod
    def fit(
        cls, encode: Callable[[Sequence[str]], Vectors], *, wording: Wording | None = None
    ) -> Self:
        """On the vectors, float32[n, d], that `encode` makes of examples; takes a second or two.

        `wording` is a model of further examples, whose labels are `KINDS` and others.
        """
        examples = [*_examples(), *((FINE, text) for text in small_talk())]
        names = (FINE, *KINDS)
        vectors = encode([text for _, text in examples])
        classes = np.asarray([names.index(kind) for kind, _ in examples], dtype=np.intp)
        head = Head.fit(vectors, classes, count=len(names), gamma=GAMMA, c=C, seed=0)
        return cls(head, wording)

    def judge(self, text: str, vector: Vectors) -> list[Danger]:
        """The dangers of a text, the surest first, by its words and its vector, float32[d]."""
        weights, names = _signs(text)
        dangers = []
        for kind, chance in zip(KINDS, self._chances(text, vector), strict=True):
            weight = weights[kind]
            if weight >= ENOUGH or chance >= ALONE or (weight and weight + chance >= TOGETHER):
                reasons = names[kind] + ([LEARNT] if weight < ENOUGH else [])
                dangers.append(Danger(kind, min(1.0, max(weight, chance)), ", ".join(reasons)))
        return sorted(dangers, key=lambda danger: -danger.score)

    def _chances(self, text: str, vector: Vectors) -> list[float]:
        """How likely each of `KINDS` is without the signs, 0..1."""
        chances = [float(chance) for chance in softmax(self._head.logits(vector[None]))[0, 1:]]
        label, sure = self._wording.surely(text) if self._wording else (FINE, 0.0)
        return [
            1.0 if kind == label and sure else c for kind, c in zip(KINDS, chances, strict=True)
        ]


def _signs(text: str) -> tuple[dict[str, float], dict[str, list[str]]]:
    """What a text's signs of each kind weigh together, and their names."""
    weights: defaultdict[str, float] = defaultdict(float)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for sign in signs.found(signs.plain(text)):
        weights[sign.kind] += sign.weight
        names[sign.kind].append(sign.name)
    if signs.hides(text):
        weights["injection"] += ENOUGH
        names["injection"].append("hides letters")
    return weights, names


def addresses_models(text: str) -> bool:
    """Whether a document's text gives orders to a model that may read it, or hides letters.

    One sign that says so by itself is needed: a long text has some weak one by chance.
    """
    strong = [sign.kind for sign in signs.found(signs.plain(text)) if sign.weight >= ENOUGH]
    return signs.hides(text) or "injection" in strong or DOCUMENT in strong


def mentions(text: str, phrase: str) -> bool:
    """Whether a text has a phrase, whatever the case: whole words, or Chinese characters."""
    bare = signs.plain(phrase).casefold()
    before = r"(?<![a-z0-9])" if bare[:1].isascii() else ""
    after = r"(?![a-z0-9])" if bare[-1:].isascii() else ""
    return re.search(before + re.escape(bare) + after, signs.plain(text).casefold()) is not None


def _examples() -> list[tuple[str, str]]:
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    return [(kind, text) for kind, _, text in (line.partition("\t") for line in lines)]
