"""Names for groups of texts, from the words that set each apart from the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from ml.language import HAN

WORD = re.compile(r"[a-z][a-z']+|\d+[a-z]+|[\u3400-\u9fff\uf900-\ufaff]+")
# Characters that bind Chinese words; a pair with one of them names nothing.
BINDING = set("的了吗呢啊吧我你您他她们是在有这那个么什怎能会可要想请就都也还和与不没很到把给为")
WORDS = 3


def keywords(groups: Sequence[Sequence[str]], *, count: int = 6) -> list[list[str]]:
    """The most distinctive words of each group, the best first; empty where it has no words.

    Class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794): a word counts by the number of the
    group's texts that hold it, against all groups'. Chinese counts by pairs of characters.
    """
    held = [Counter(word for text in group for word in set(_words(text))) for group in groups]
    total: Counter[str] = Counter()
    for counts in held:
        total.update(counts)
    size = sum(total.values()) / max(1, len(groups))
    found = []
    for counts in held:
        weight = {w: n * float(np.log(1 + size / total[w])) for w, n in counts.items()}
        found.append(sorted(weight, key=lambda w: (-weight[w], w))[:count])
    return found


def names(words: Sequence[Sequence[str]]) -> list[str]:
    """A different name for each group, such as `card_arrived_waiting` or 退款_订单."""
    given: Counter[str] = Counter()
    found = []
    for number, top in enumerate(words, start=1):
        name = "_".join(top[:WORDS]) or f"intent_{number}"
        given[name] += 1
        found.append(name if given[name] == 1 else f"{name}_{given[name]}")
    return found


def _words(text: str) -> Iterator[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    for run in WORD.findall(text.casefold()):
        if not HAN.match(run):
            if run not in ENGLISH_STOP_WORDS and "'" not in run:
                yield run
            continue
        yield from (
            run[i : i + 2] for i in range(len(run) - 1) if not BINDING & set(run[i : i + 2])
        )
