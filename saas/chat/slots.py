"""What an action needs of a customer, found in what they write: order numbers, dates, amounts, choices."""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import SchemaError

from ml.prices import CURRENCY, NUMBER, UNIT, number
from saas import rows
from saas.chat import dates

ORDER = r"[A-Za-z]{0,6}-?[0-9]{5,20}"
TOKEN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
AMOUNT = re.compile(rf"{CURRENCY}\s*({NUMBER})|({NUMBER})\s*{UNIT}", re.IGNORECASE)
PLAIN = re.compile(rf"({NUMBER})")
WRONG = {
    "order_number": {
        "en": "I could not find a number of that form in this.",
        "zh": "没有找到符合格式的编号。",
    },
    "date": {
        "en": "I could not find a date in this; write one such as 2026-11-20 or “yesterday”.",
        "zh": "没有找到日期，请写成 2026-11-20 或“昨天”这样的形式。",
    },
    "past": {"en": "That day is still to come.", "zh": "这个日期还没有到。"},
    "future": {"en": "That day is over.", "zh": "这个日期已经过去了。"},
    "amount": {
        "en": "I could not find an amount in this; write one such as 49.90.",
        "zh": "没有找到金额，请写成 49.90 这样的形式。",
    },
    "low": {"en": "It must be {} at least.", "zh": "金额不能小于 {}。"},
    "high": {"en": "It can be {} at most.", "zh": "金额不能大于 {}。"},
    "text": {"en": "That is too long.", "zh": "内容太长了。"},
    "choice": {"en": "Please choose one of: {}.", "zh": "请从中选择：{}。"},
}
LONGEST = 500  # characters of a text
COMMAS = {"en": ", ", "zh": "、"}


class Unfit(Exception):
    """Nothing in what was written fits; why, in words for the customer."""


class Part(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid", frozen=True)


class Texts(Part):
    """The same in one or both languages."""

    en: str = rows.optional_text(1_000)
    zh: str = rows.optional_text(1_000)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.en or self.zh):
            raise ValueError("write it in English, Chinese or both")
        return self

    def of(self, language: str) -> str:
        return (self.zh or self.en) if language == "zh" else (self.en or self.zh)


class Slot(Part):
    """Something to ask a customer for, one thing at a time."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="As your server is told it")
    kind: Literal["order_number", "date", "amount", "text", "choice"]
    ask: Texts = Field(description="The question, such as “What is your order number?”")
    pattern: str = Field(
        default=ORDER,
        max_length=200,
        pattern=rows.NO_NUL,
        description="Of an order_number: what all of it must match, in the syntax of Rust's regex",
    )
    when: Literal["past", "future", "any"] = Field(default="any", description="Of a date")
    min: Decimal | None = Field(default=None, max_digits=14, description="Of an amount")
    max: Decimal | None = Field(default=None, max_digits=14, description="Of an amount")
    choices: list[Annotated[str, Field(min_length=1, max_length=60, pattern=rows.NOT_BLANK)]] = (
        Field(default=[], max_length=20, description="Of a choice: at least two")
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        try:
            _matcher(self.pattern)
        except SchemaError as error:
            raise ValueError("pattern is no regular expression that can be used here") from error
        if self.kind == "choice" and len(set(self.choices)) < 2:
            raise ValueError("choices must name two at least")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min must not be above max")
        return self


def find(slot: Slot, text: str, *, today: date) -> str | None:
    """What a sentence says of it by the way; None where it says nothing that fits."""
    plain = unicodedata.normalize("NFKC", text)
    try:
        if slot.kind == "order_number":
            return _order_number(slot, AMOUNT.sub(" ", plain), "en")
        if slot.kind == "date":
            return _date(slot, plain, "en", today)
        if slot.kind == "amount":
            return _amount(slot, AMOUNT.search(plain), "en")
        if slot.kind == "choice":
            return _choice(slot, plain, "en")
    except Unfit:
        return None
    return None


def read(slot: Slot, text: str, *, language: str, today: date) -> str:
    """The same of an answer to its question, in which a bare number will do. Raises Unfit."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if slot.kind == "order_number":
        return _order_number(slot, plain, language)
    if slot.kind == "date":
        return _date(slot, plain, language, today)
    if slot.kind == "amount":
        return _amount(slot, AMOUNT.search(plain) or PLAIN.search(plain), language)
    if slot.kind == "choice":
        return _choice(slot, plain, language)
    if len(plain) > LONGEST:
        raise Unfit(WRONG["text"][language])
    return plain


def _order_number(slot: Slot, text: str, language: str) -> str:
    matcher = _matcher(slot.pattern)
    for token in TOKEN.findall(text):
        try:
            return str(matcher.validate_python(token))
        except ValidationError:
            continue
    raise Unfit(WRONG["order_number"][language])


def _date(slot: Slot, text: str, language: str, today: date) -> str:
    found = dates.find(text, today=today, ahead=slot.when == "future")
    if found is None:
        raise Unfit(WRONG["date"][language])
    if slot.when == "past" and found > today:
        raise Unfit(WRONG["past"][language])
    if slot.when == "future" and found < today:
        raise Unfit(WRONG["future"][language])
    return found.isoformat()


def _amount(slot: Slot, match: re.Match[str] | None, language: str) -> str:
    written = next((part for part in match.groups() if part), None) if match else None
    found = number(written) if written else None
    if found is None:
        raise Unfit(WRONG["amount"][language])
    if slot.min is not None and found < slot.min:
        raise Unfit(WRONG["low"][language].format(slot.min))
    if slot.max is not None and found > slot.max:
        raise Unfit(WRONG["high"][language].format(slot.max))
    return f"{found:f}"


def _choice(slot: Slot, text: str, language: str) -> str:
    plain = text.casefold()
    named = [choice for choice in slot.choices if choice.casefold() in plain]
    if not named and plain.isascii() and plain.isdigit() and 1 <= int(plain) <= len(slot.choices):
        named = [slot.choices[int(plain) - 1]]
    if not named:
        raise Unfit(WRONG["choice"][language].format(COMMAS[language].join(slot.choices)))
    return max(named, key=len)


@functools.lru_cache(maxsize=256)
def _matcher(pattern: str) -> TypeAdapter[Any]:
    """By an engine whose time grows with the text only, whatever a tenant's pattern is."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"\A(?:{pattern})\z")])
