"""What a tuning run can be told: the settings, and the switches that it may try."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

from ml.errors import DataError

Setting = Literal["off", "on", "try"]
SWITCHES = (
    "pretrain",
    "contrastive",
    "adversarial",
    "consistency",
    "typos",
    "homophones",
    "paraphrase",
    "hard_negatives",
    "self_training",
)
RANGES = {
    "rate": (0.0, 1.0),
    "warmup": (0.0, 1.0),
    "decay": (0.0, 1.0),
    "smoothing": (0.0, 0.9),
    "average": (0.0, 0.9999),
    "held_out": (0.0, 0.5),
    "recall": (0.5, 1.0),
    "precision": (0.0, 1.0),
}
FEW, SOME = 1_500, 6_000  # examples, see `Config.suited`
MANY, PLENTY = 1_000, 5_000  # messages without a label


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of `ml.finetune.tune`; `suited` has those that were measured to be best.

    A switch is "off", "on" or "try": trained with and without it on the same held-out part, and kept
    only where it helps. `held_out` is the share of examples that calibrate and stop training;
    `refit` trains once more on all of them afterwards, and with `joined` the model is what lies
    halfway between both trainings. `recall` and `precision` are what the threshold keeps to
    (`ml.calibration.Aim`). With `consistency` typing errors are not further examples: they
    are in an example's second reading. With `names` an intent's name is an example of it.
    `guessed` is how many messages without a label self-training reads at most.
    """

    rank: int = 16
    epochs: int = 4
    rate: float = 1e-3
    batch: int = 64
    accumulate: int = 1
    warmup: float = 0.1
    decay: float = 0.01
    clip: float = 1.0
    smoothing: float = 0.1
    average: float = 0.99
    patience: int = 3
    held_out: float = 0.05
    refit: bool = False
    joined: bool = False
    recall: float = 0.975
    precision: float | None = None
    names: bool = False
    guessed: int = 10_000
    seed: int = 0
    checkpoint_seconds: float = 60.0
    device: str | None = None
    dtype: str | None = None
    threads: int | None = None
    pretrain: Setting = "off"
    contrastive: Setting = "off"
    adversarial: Setting = "off"
    consistency: Setting = "off"
    typos: Setting = "off"
    homophones: Setting = "off"
    paraphrase: Setting = "off"
    hard_negatives: Setting = "off"
    self_training: Setting = "off"

    def __post_init__(self) -> None:
        for name in SWITCHES:
            if getattr(self, name) not in get_args(Setting):
                raise DataError(f'{name} must be "off", "on" or "try", not {getattr(self, name)!r}')
        for name in ("names", "refit", "joined"):
            if not isinstance(getattr(self, name), bool):
                raise DataError(f"{name} must be true or false, not {getattr(self, name)!r}")
        for name in ("rank", "epochs", "batch", "accumulate", "patience", "guessed"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise DataError(f"{name} must be a whole number from 1 on, not {value!r}")
        for name, (low, high) in RANGES.items():
            if name != "precision" or self.precision is not None:
                _check_range(name, getattr(self, name), low, high)

    @classmethod
    def suited(
        cls, examples: int, *, unlabelled: int = 0, passages: int = 0, **changes: Any
    ) -> Self:
        """The settings for so many examples, messages without a label, and passages.

        Changes by name go before them.

        The fewer there are, the more passes and the smaller batches it takes until training has
        moved far enough, and the more of them have to be held out until their figures mean
        something. Two trainings joined are better than either; but of very few, what is held out
        is missed in one of them, and of many the second costs more than it brings.
        """
        suited: dict[str, Any] = {}
        if examples >= FEW:
            suited |= {"consistency": "on", "typos": "on", "homophones": "on"}
        if examples < SOME:
            suited |= {"epochs": 8, "batch": 32, "held_out": 0.1, "refit": True, "joined": True}
        if examples < FEW:
            suited |= {"epochs": 15, "held_out": 0.2, "joined": False, "names": True}
            suited["contrastive"] = "on"
        if examples < FEW and unlabelled >= MANY:
            # Guessed labels by the thousand: training is long enough after a pass or two, and one
            # over twice as many is worth more than two.
            suited |= {"self_training": "on", "contrastive": "off", "batch": 64}
            suited["epochs"] = 1 if unlabelled >= PLENTY else 2
        if passages:
            suited["hard_negatives"] = "on"
        return cls(**(suited | changes))

    def change(self, **values: Any) -> Self:
        return replace(self, **values)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises `DataError` that names a setting that is unknown or out of its range."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise DataError(f"there is no setting {', '.join(unknown)}; remove it")
        return cls(**values)


def _check_range(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{name} must be a number, not {value!r}")
    if not low <= value <= high:
        raise DataError(f"{name} must be from {low:g} to {high:g}, not {value:g}")
