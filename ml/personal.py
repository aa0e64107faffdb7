"""Personal data in what customers write: found, and taken out before anything is learned from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ml.language import language_of

Kind = Literal["email", "phone", "id_card", "bank_card"]

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.ASCII)
# Digits that may be a number of something, in groups as people write them.
DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,18}[Xx]?(?!\w)", re.ASCII)
BANK_CARD = re.compile(r"(?:3[4-7]|4|5[1-5]|62|2[2-7])\d+")  # networks' first digits
REGIONS = {"zh": ("CN",), "en": ("US", "GB")}  # whose numbers are known without a country code
LONGEST = 20_000  # characters looked through for phone numbers


@dataclass(frozen=True, slots=True)
class Found:
    """Personal data at `start` to `end` of a text."""

    kind: Kind
    start: int
    end: int


def redact(text: str) -> str:
    """The text with `<phone>` and the like in place of personal data."""
    for found in reversed(find(text)):
        text = f"{text[: found.start]}<{found.kind}>{text[found.end :]}"
    return text


def find(text: str) -> list[Found]:
    """E-mail addresses, phone numbers, Chinese identity cards and bank cards, in their order.

    Numbers count only where their check digit is right or, of a phone, where their country has such
    numbers: an order's number stays readable.
    """
    taken: list[Found] = []
    for found in (*_emails(text), *_numbers(text), *_phones(text)):
        if all(found.end <= other.start or other.end <= found.start for other in taken):
            taken.append(found)
    return sorted(taken, key=lambda found: found.start)


def _emails(text: str) -> Iterator[Found]:
    if "@" in text:
        for match in EMAIL.finditer(text):
            yield Found("email", match.start(), match.end())


def _numbers(text: str) -> Iterator[Found]:
    from stdnum import luhn
    from stdnum.cn import ric

    for match in DIGITS.finditer(text):
        digits = re.sub(r"[ -]", "", match.group())
        if len(digits) == 18 and ric.is_valid(digits):
            yield Found("id_card", match.start(), match.end())
        elif BANK_CARD.fullmatch(digits) and luhn.is_valid(digits):
            yield Found("bank_card", match.start(), match.end())


def _phones(text: str) -> Iterator[Found]:
    if not any(character.isdigit() for character in text):
        return
    from phonenumbers import Leniency, PhoneNumberMatcher

    for region in REGIONS[language_of(text)]:
        # Digits that follow each other without a sign are a phone's only where mobiles look so.
        leniency = Leniency.VALID if region == "CN" else Leniency.STRICT_GROUPING
        for match in PhoneNumberMatcher(text[:LONGEST], region, leniency=leniency):
            yield Found("phone", match.start, match.end)
