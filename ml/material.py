"""The examples of a run, looked over and divided into what trains and what is held out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml import continual
from ml.errors import DataError
from ml.head import Rows
from ml.types import Example, Vectors

LONG = 1_000  # characters, from which on hardly a text is read to its end in training


@dataclass(frozen=True, slots=True)
class Material:
    """`fit` and `held` are rows of `texts`; `classes` numbers each row's intent in `names`.

    `rounds` are those in which the intents came (`ml.continual`).
    """

    texts: list[str]
    names: list[str]
    classes: Rows
    fit: Rows
    held: Rows
    notes: tuple[str, ...]
    rounds: tuple[int, ...]

    @property
    def teaches(self) -> bool:
        """Whether there is anything to tell apart."""
        return len(self.names) > 1 and len(set(self.texts)) > 1

    @property
    def margins(self) -> Vectors:
        """By which examples of older intents are to be told from newer ones."""
        return continual.margins(self.rounds)

    def of(self, rows: Rows) -> list[str]:
        """The texts of some rows."""
        return [self.texts[row] for row in rows]


def prepare(
    examples: Sequence[Example], *, share: float, seed: int, rounds: Mapping[str, int] | None = None
) -> Material:
    """Holds out a share of each intent, never its only example.

    `notes` say what is odd about the examples. Raises `DataError` where there are none.
    """
    if not examples:
        raise DataError("there are no examples; add some for each intent and train again")
    texts = [example.text.strip() for example in examples]
    labels = np.asarray([example.label for example in examples], dtype=object)
    names, classes = np.unique(labels, return_inverse=True)
    held = _hold_out(classes, share=share, seed=seed)
    fit = np.setdiff1d(np.arange(len(classes)), held)
    came = tuple((rounds or {}).get(name, 0) for name in names)
    notes = tuple(_notes(texts, classes, held, came))
    return Material(texts, [str(name) for name in names], classes, fit, held, notes, came)


def _hold_out(classes: Rows, *, share: float, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(int(classes.max()) + 1):
        own = rng.permutation(np.flatnonzero(classes == number))
        # Rounded up or down by chance, so that small intents are held out in proportion too.
        count = min(int(share * len(own) + rng.random()), len(own) - 1)
        rows.append(own[:count])
    return np.sort(np.concatenate(rows))


def _notes(texts: list[str], classes: Rows, held: Rows, came: tuple[int, ...]) -> list[str]:
    intents: dict[str, set[int]] = defaultdict(set)
    for text, number in zip(texts, classes.tolist(), strict=True):
        intents[text].add(number)
    torn = sum(len(found) > 1 for found in intents.values())
    single = int((np.bincount(classes) == 1).sum())
    long = sum(len(text) > LONG for text in texts)
    later = sum(round_ > min(came) for round_ in came)
    notes = []
    if torn:
        notes.append(f"{torn} texts are examples of two or more intents; decide for one")
    if single:
        notes.append(f"{single} intents have a single example, which is never held out")
    if long:
        notes.append(f"{long} texts are over {LONG} characters; training reads their beginning")
    if later:
        notes.append(
            f"{later} intents came later than others, and give way to these where in doubt"
        )
    if not len(held):
        notes.append("nothing could be held out: no early stopping and no figures")
    return notes
