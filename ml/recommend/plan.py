"""How a recommender is fitted."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sequence model is trained.

    `id_dropout` is the share of items that a step knows by their text alone, so that an item without
    a past can be recommended.
    """

    width: int = 128
    layers: int = 2
    heads: int = 2
    longest: int = 50
    dropout: float = 0.4
    id_dropout: float = 0.1
    epochs: int = 30
    rate: float = 1e-3
    decay: float = 0.01
    tokens: int = 1_024  # events in a step, at most


@dataclass(frozen=True, slots=True)
class Plan:
    """How to fit: on how many days, the last ones of the past, it is chosen and measured.

    `sequence` are the settings of a sequence model, which is kept where it wins; None: none.
    `encoder` is the folder of the encoder that the items' vectors are by, where it is to be tuned to
    the catalog: what it then makes of the items' texts is kept where it wins.
    """

    held_out_days: float = 28.0
    sequence: Settings | None = None
    encoder: Path | None = None
    seed: int = 0
