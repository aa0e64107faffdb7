"""What an action needs, asked one by one: found, missing, corrected, given up, or called off."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from saas.chat import slots
from saas.chat.slots import Slot

TRIES = 3
CANCELS = re.compile(
    r"(no,? )?(never ?mind|forget (it|about it)|cancel( (it|that|this))?|stop( it)?|not now|no thanks|"
    r"(it'?s )?nothing)|算了(吧)?|不用了|不查了|不用查了|不弄了|没事了|取消(吧)?|先不了|停",
    re.IGNORECASE,
)
AROUND = re.compile(r"^\W+|\W+$")
CANCELLED = {
    "en": "All right, I have dropped that. What else can I do for you?",
    "zh": "好的，已取消。还有什么可以帮您？",
}
GIVEN_UP = {
    "en": "I am sorry, I still cannot make that out. A colleague can help: shall I hand you over?",
    "zh": "抱歉，我还是没能识别。需要我为您转接人工客服吗？",
}


@dataclass(frozen=True, slots=True)
class Form:
    """An action's slots as far as they are filled; `slot` is the one asked for, for the nth time."""

    intent: str
    slot: str
    tries: int = 1
    values: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "intent": self.intent,
            "slot": self.slot,
            "tries": self.tries,
            "values": dict(self.values),
        }


@dataclass(frozen=True, slots=True)
class Ask:
    """What to say next; without a form there is nothing more to ask."""

    text: str
    form: Form | None = None
    options: Sequence[str] = ()
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """All that the action needs."""

    values: dict[str, str]


def begin(
    intent: str, needed: Sequence[Slot], texts: Sequence[str], *, language: str, today: date
) -> Ask | Filled:
    """What the texts already say is not asked for; the first of them counts before the second."""
    values: dict[str, str] = {}
    for text in texts:
        found = {slot.name: slots.find(slot, text, today=today) for slot in needed}
        values = {name: value for name, value in found.items() if value is not None} | values
    return _next(intent, needed, values, language=language)


def is_cancelled(text: str) -> bool:
    return bool(CANCELS.fullmatch(AROUND.sub("", text)))


def go_on(
    form: Form, needed: Sequence[Slot], text: str, *, language: str, today: date
) -> Ask | Filled:
    """After an answer to what was asked: the next question, the same again, or none."""
    if is_cancelled(text):
        return Ask(CANCELLED[language])
    slot = next(slot for slot in needed if slot.name == form.slot)
    try:
        value = slots.read(slot, text, language=language, today=today)
    except slots.Unfit as wrong:
        if form.tries >= TRIES:
            return Ask(GIVEN_UP[language], given_up=True)
        again = Form(form.intent, form.slot, form.tries + 1, form.values)
        space = "" if language == "zh" else " "
        return Ask(f"{wrong}{space}{slot.ask.of(language)}", again, slot.choices)
    return _next(form.intent, needed, {**form.values, slot.name: value}, language=language)


def _next(
    intent: str, needed: Sequence[Slot], values: Mapping[str, str], *, language: str
) -> Ask | Filled:
    missing = next((slot for slot in needed if slot.name not in values), None)
    if missing is None:
        return Filled({slot.name: values[slot.name] for slot in needed})
    form = Form(intent, missing.name, 1, values)
    return Ask(missing.ask.of(language), form, missing.choices)
