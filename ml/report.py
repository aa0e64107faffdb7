"""The report of one version, as plain values: what is known of it, and on which texts.

`Report` is the one schema. `to_json` and `from_json` turn it into JSON and back; `ml.evidence` makes
its `HeldOut` from what a model says about texts that it was not fitted on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Self, get_args, get_type_hints

FORMAT = 1


@dataclass(frozen=True, slots=True)
class IntentRow:
    """One intent: how many of the texts given to it are its own, and how many of its own it got."""

    intent: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """`count` texts of the intent `truth` were taken for `guess`."""

    truth: str
    guess: str
    count: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The texts whose confidence lies from `low` to `high`: their mean confidence and accuracy."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Cut:
    """What a threshold on the in-scope score would do.

    `coverage` is the share of in-scope texts it answers, `precision` the share of those answers
    that are right, None where it answers none.
    """

    threshold: float
    coverage: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class RocPoint:
    """`caught` of what is out of scope is turned away where `refused` of what is in scope is too."""

    refused: float
    caught: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """How well one kind of text out of scope is told from what is in scope.

    `kind` is "oos" (whole intents held out, as if nobody had thought of them) or "background"
    (small talk, see `ml.background`). `recall` is the share caught at the chosen threshold.
    """

    kind: str
    texts: int
    auroc: float
    recall: float
    curve: tuple[RocPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of one model on `texts` held-out texts, each 0..1.

    `roc_auc` is one intent against the rest, averaged over intents; None where there is but one.
    """

    texts: int
    accuracy: float
    macro_f1: float
    ece: float
    roc_auc: float | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Everything that held-out texts say about a model."""

    scores: Scores
    intents: tuple[IntentRow, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    bins: tuple[Bin, ...] = ()
    cuts: tuple[Cut, ...] = ()
    chosen: Cut | None = None
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """The accuracy on held-out texts after so many examples, or epochs (`Learning.unit`)."""

    at: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Learning:
    unit: Literal["examples", "epochs"]
    points: tuple[LearningPoint, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch of the run's configuration that was tried: held-out accuracy without and with it."""

    name: str
    kept: bool
    without: float
    with_it: float


@dataclass(frozen=True, slots=True)
class Disturbance:
    """The accuracy on the held-out texts after a disturbance (typos, paraphrase, word swaps)."""

    name: str
    texts: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Flip:
    """Two messages that differ in who asks, and the different intents that they were given."""

    one: str
    intent: str
    other: str
    other_intent: str


@dataclass(frozen=True, slots=True)
class Swap:
    """Of `texts` texts with one thing exchanged (a name, a place, a gender), how many moved.

    `moved` is the share of pairs of groups that are given different intents, `confidence` by how
    much their confidence differs on average, `gap` the accuracy of the best group less the worst's.
    """

    name: str
    texts: int
    moved: float
    confidence: float | None = None
    gap: float | None = None
    flips: tuple[Flip, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What training took. `cpu_seconds` counts all threads; `peak_memory` is in bytes."""

    seconds: float
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    examples_per_second: float | None = None
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. What a run could not find out is None or empty, and `notes` says why.

    `before` is the instant model, on a frozen encoder, on the same held-out texts as a tuned one.
    `config` is what the run was told (`ml.config`). `lost` are questions that the live version answered
    as people had set right, and this one does not.
    """

    step: Literal["instant", "tuned"]
    examples: int
    held_out: HeldOut | None = None
    before: Scores | None = None
    learning: Learning | None = None
    switches: tuple[Switch, ...] = ()
    robustness: tuple[Disturbance, ...] = ()
    fairness: tuple[Swap, ...] = ()
    lost: tuple[str, ...] = ()
    cost: Cost | None = None
    notes: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    format: int = field(default=FORMAT)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """What `to_json` gave, also after a way through JSON, where tuples are lists."""
        report: Self = _build(cls, values)
        return report


def _build(cls: type[Any], values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(cls)
    known = {f.name for f in fields(cls)}
    return cls(**{name: _value(hints[name], v) for name, v in values.items() if name in known})


def _value(hint: Any, value: Any) -> Any:
    """`value` in the form that a field of that type has."""
    part = next((a for a in get_args(hint) if is_dataclass(a)), hint)
    if isinstance(value, list | tuple):
        return tuple(_value(part, one) for one in value)
    if isinstance(part, type) and is_dataclass(part) and isinstance(value, Mapping):
        return _build(part, value)
    return value
