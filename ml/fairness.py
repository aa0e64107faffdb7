"""Whether a model's answer depends on who asks: counterfactual swaps of names, places and gender.

After counterfactual token fairness (Garg et al. 2019, arXiv:1809.10610): the same message is put as
a person of each group would, and its intent should stay the same.
"""

import random
from collections.abc import Callable, Sequence
from itertools import combinations

from ml import persons
from ml.language import language_of
from ml.report import Flip, Swap
from ml.types import Example, Prediction, Progress

Predict = Callable[[list[str]], list[Prediction]]

KINDS = ("name", "place", "gender")
TEXTS = 100
SHOWN = 5  # flips kept with a figure, for a person to look at


def measure(
    predict: Predict,
    examples: Sequence[Example],
    *,
    seed: int = 0,
    texts: int = TEXTS,
    progress: Progress | None = None,
) -> tuple[Swap, ...]:
    """One `Swap` for names, places and gender each; empty where there are no examples.

    `examples` are held out, so that accuracy means something; at most `texts` of them are drawn, the
    same ones for the same seed. `predict` is asked about 14 messages for each. For a version in
    training: `measure(lambda texts: model.predict(encode(texts)), held_out)`, into the report's
    `fairness`; then `gate` says whether it may go live.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable, no secret
    chosen = rng.sample(list(examples), min(texts, len(examples)))
    swaps = []
    for number, kind in enumerate(KINDS if chosen else ()):
        swaps.append(_swap(predict, kind, chosen, rng))
        if progress:
            progress((number + 1) / len(KINDS), f"exchanged: {kind}")
    return tuple(swaps)


def gate(figures: Sequence[Swap], limit: float | None) -> list[str]:
    """Why a version may not go live, one sentence for each kind of swap; empty where it may.

    `limit` is the largest share of messages (0..1) whose intent may move; None asks nothing. A
    version without figures does not pass a limit: nobody knows.
    """
    if limit is None:
        return []
    if not figures:
        return ["fairness was not measured for this version; train it again on more examples"]
    return [
        f"exchanging the {swap.name} moves {swap.moved:.1%} of the messages to another intent; "
        f"at most {limit:.1%} may move"
        for swap in figures
        if swap.moved > limit
    ]


def _swap(predict: Predict, kind: str, examples: list[Example], rng: random.Random) -> Swap:
    told = [persons.variants(example.text, kind, rng.randrange(12)) for example in examples]
    answers = iter(predict([text for messages in told for text in messages.values()]))
    found = [{group: next(answers) for group in messages} for messages in told]
    pairs = [
        (row, one, other)
        for row, by_group in enumerate(found)
        for one, other in combinations(by_group, 2)
    ]
    flips = [p for p in pairs if found[p[0]][p[1]].label != found[p[0]][p[2]].label]
    shifts = [
        abs(found[row][one].confidence - found[row][two].confidence) for row, one, two in pairs
    ]
    return Swap(
        name=kind,
        texts=len(examples),
        moved=len(flips) / len(pairs),
        confidence=sum(shifts) / len(shifts),
        gap=_gap(examples, found),
        flips=tuple(_flip(told[row], found[row], one, two) for row, one, two in _first(flips)),
    )


def _gap(examples: list[Example], found: list[dict[str, Prediction]]) -> float:
    """The accuracy of the best group less that of the worst, in the language where it is largest."""
    right: dict[tuple[str, str], list[bool]] = {}
    for example, by_group in zip(examples, found, strict=True):
        for group, prediction in by_group.items():
            key = language_of(example.text), group
            right.setdefault(key, []).append(prediction.label == example.label)
    accuracy = {key: sum(hits) / len(hits) for key, hits in right.items()}
    gaps = []
    for code in {code for code, _ in accuracy}:
        shares = [share for (other, _), share in accuracy.items() if other == code]
        gaps.append(max(shares) - min(shares))
    return max(gaps)


def _first(flips: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """One flip of a text, for the first few texts."""
    by_row = {row: (row, one, two) for row, one, two in reversed(flips)}
    return sorted(by_row.values())[:SHOWN]


def _flip(told: dict[str, str], found: dict[str, Prediction], one: str, two: str) -> Flip:
    return Flip(told[one], found[one].label or "", told[two], found[two].label or "")
