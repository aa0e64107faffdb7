"""How many messages that go on with a question are read as what they mean.

The model is the demo shop's, instant, on the bundled encoder. The pairs (tests/chat/followups.py) were
written by hand, 20 in English and 20 in Chinese, with messages that stand alone beside them.
`as_it_is` reads the message alone, `with_question` always with the question, `surest` as the product
does: whichever reading the model is surer of.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml import weights
from ml.background import sentences
from ml.encoder import Encoder
from ml.intent import IntentModel
from ml.types import Prediction
from saas.chat import followups
from tests.chat.followups import ALONE, PAIRS

EXAMPLES = Path(__file__).parent.parent.parent / "saas/demo/data/shop/examples.csv"
CACHE = Path("var/encoder")
Choice = Callable[[list[Prediction]], Prediction]
RULES: dict[str, Choice] = {
    "as_it_is": lambda read: read[0],
    "with_question": lambda read: read[-1],
    "surest": lambda read: max(read, key=lambda p: p.confidence if p.in_scope else 0.0),
}


def run(data: Path, *, quick: bool, running: ExitStack) -> tuple[dict[str, Any], dict[str, Any]]:
    """Nothing of `data` is read: the demo's examples are the project's own."""
    encoder = Encoder.load(weights.locate("", cache=CACHE), threads=1)
    with EXAMPLES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    model = IntentModel.fit(
        encoder.encode([row["text"] for row in rows], kind="query"),
        [row["intent"] for row in rows],
        texts=[row["text"] for row in rows],
        background=encoder.encode(sentences(), kind="query"),
    )
    found = [
        model.predict(encoder.encode(read := followups.readings(text, question)), read)
        for question, text, *_ in PAIRS
    ]
    figures: dict[str, Any] = {
        name: _share([_is(rule(read), pair[2]) for read, pair in zip(found, PAIRS, strict=True)])
        for name, rule in RULES.items()
    }
    alone = [followups.readings(text, question) == [text] for question, text in ALONE]
    figures["left_alone"] = _share(alone)
    told = f"share of {len(PAIRS)} pairs whose intent is right and in scope"
    return figures, dict.fromkeys(RULES, told) | {"left_alone": f"share of {len(ALONE)} others"}


def _is(prediction: Prediction, intent: str) -> bool:
    return prediction.in_scope and prediction.label == intent


def _share(right: list[bool]) -> float:
    return sum(right) / len(right)
