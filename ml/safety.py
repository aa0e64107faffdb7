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
from ml.background import sentences
from ml.head import Head, softmax
from ml.types import Vectors
from ml.wording import FINE, Wording

Kind = Literal["injection", "other_data", "self_harm", "harm", "abuse"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ENOUGH = 1.0  # signs that weigh this much together are a danger
# Chosen with the kernel below by leaving out examples in turn (half of the dangers are found by
# their vector alone), where of training messages of three public intent sets 0.2% are taken for one.
SURE = 0.69
GAMMA, C = 0.25, 1.0
DOCUMENT = "document"  # the kind of signs that documents alone are read for
LEARNT, WORDED = "reads like one", "worded like one"


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
        examples = [*_examples(), *((FINE, text) for text in sentences())]
        names = (FINE, *KINDS)
        vectors = encode([text for _, text in examples])
        classes = np.asarray([names.index(kind) for kind, _ in examples], dtype=np.intp)
        head = Head.fit(vectors, classes, count=len(names), gamma=GAMMA, c=C, seed=0)
        return cls(head, wording)

    def judge(self, text: str, vector: Vectors) -> list[Danger]:
        """The dangers of a text, the surest first, by its words and its vector, float32[d]."""
        dangers = {danger.kind: danger for danger in read(text)}
        for kind, chance in zip(KINDS, self.chances(vector), strict=True):
            if chance >= SURE and kind not in dangers:
                dangers[kind] = Danger(kind, chance, LEARNT)
        label, chance = self._wording.surely(text) if self._wording else (FINE, 0.0)
        for kind in KINDS:
            if kind == label and kind not in dangers:
                dangers[kind] = Danger(kind, chance, WORDED)
        return sorted(dangers.values(), key=lambda danger: -danger.score)

    def chances(self, vector: Vectors) -> list[float]:
        """How likely each of `KINDS` is by the vector alone, 0..1."""
        found = softmax(self._head.logits(vector[None]))[0, 1:]
        return [float(chance) for chance in found]


def read(text: str) -> list[Danger]:
    """The dangers that a text's words show."""
    weights: defaultdict[str, float] = defaultdict(float)
    names: defaultdict[str, list[str]] = defaultdict(list)
    for sign in signs.found(signs.plain(text)):
        weights[sign.kind] += sign.weight
        names[sign.kind].append(sign.name)
    if signs.hides(text):
        weights["injection"] += ENOUGH
        names["injection"].append("hides letters")
    return [
        Danger(kind, min(1.0, weights[kind]), ", ".join(names[kind]))
        for kind in KINDS
        if weights[kind] >= ENOUGH
    ]


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
