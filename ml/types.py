"""What goes into the models and what comes out of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32[n, d]."""

Tensors = dict[str, NDArray[Any]]

Progress = Callable[[float, str], None]
"""Called with the share done (0..1) and a log line. Whatever it raises cancels the work."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and the intent that it is an example of."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Guess:
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model makes of one text.

    `label` is the likeliest intent even where the text is out of scope, and `confidence` (0..1) its
    calibrated probability. `alternatives` are the three likeliest, the best first. `familiarity` is how
    far it is above what is in scope at the least, in deviations of what customers ask; below 0 outside.
    """

    label: str | None
    confidence: float
    in_scope: bool
    alternatives: tuple[Guess, ...] = ()
    familiarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a catalog."""

    id: str
    text: str
    category: str = ""
    price: float | None = None
    brand: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A customer did something with an item. `at` is in seconds since the epoch, UTC."""

    customer: str
    item: str
    kind: str
    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Pick:
    """A recommended item.

    `source` says what spoke for it most: "behaviour", "text" or "popular". `because` is the item of
    the customer's history that contributed most to it, for behaviour and text.
    """

    item: str
    score: float
    source: str
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search: the higher the score, the nearer."""

    id: str
    score: float
