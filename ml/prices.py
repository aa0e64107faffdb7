"""What something may cost, as people write it: “under 500”, “300以下”, “between $20 and $40”."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from ml import numbers

DIGITS = r"[0-9][0-9,]*(?:\.[0-9]+)?"
NUMBER = rf"(?:{DIGITS}|[零一二两三四五六七八九十百千万]+)\s*[万千kK]?"
CURRENCY = r"(?:[$¥￥€£]|(?:USD|CNY|RMB|EUR|GBP|HKD)\b)"
UNIT = r"(?:元|块钱?|人民币|美元|港币|欧元|dollars?|bucks|euros?|pounds?|yuan|(?:USD|CNY|RMB|EUR|GBP)\b)"
AMOUNT = rf"(?:{CURRENCY}\s*)?({NUMBER})\s*(?:{UNIT})?"
BETWEEN = re.compile(
    rf"\b(?:between|from)\s+{AMOUNT}\s*(?:and|to|-)\s*{AMOUNT}|{AMOUNT}\s*(?:到|至|~|-|—)\s*{AMOUNT}"
    r"\s*(?:之间|左右|的)?",
    re.IGNORECASE,
)
BELOW = re.compile(
    r"\b(?:under|below|less than|cheaper than|up to|at most|no more than|max(?:imum)?(?: of)?)"
    rf"\s+{AMOUNT}|(?:不超过|不高于|低于|少于|最多|不到)\s*{AMOUNT}"
    rf"|{AMOUNT}\s*(?:以下|以内|之内|之下|内)的?|{AMOUNT}\s+(?:or less|max)",
    re.IGNORECASE,
)
ABOVE = re.compile(
    rf"\b(?:over|above|more than|at least)\s+{AMOUNT}|(?:超过|高于|不低于|至少|不少于)\s*{AMOUNT}"
    rf"|{AMOUNT}\s*(?:以上|之上|起)的?",
    re.IGNORECASE,
)


TIMES = {"万": 10_000, "千": 1_000, "k": 1_000, "": 1}


@dataclass(frozen=True, slots=True)
class Range:
    """From and up to a price; None where there is no limit. `rest` is the text without it."""

    low: Decimal | None
    high: Decimal | None
    rest: str


def read(text: str) -> Range:
    """The limits that a text sets."""
    for pattern, place in ((BETWEEN, "both"), (BELOW, "high"), (ABOVE, "low")):
        found = pattern.search(text)
        amounts = [number(part) for part in found.groups() if part] if found else []
        if found and amounts and None not in amounts:
            rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
            if place == "both":
                low, high = sorted(amount for amount in amounts if amount is not None)
                return Range(low, high, rest)
            limit = amounts[0]
            above = place == "low"
            return Range(limit if above else None, None if above else limit, rest)
    return Range(None, None, text)


def number(written: str) -> Decimal | None:
    """Of “1,200.50”, “五百” or “2千”."""
    plain = written.replace(",", "").strip()
    if not re.match("[0-9]", plain):
        value = numbers.chinese(plain)
        return None if value is None else Decimal(value)
    last = plain[-1].lower() if plain[-1].lower() in TIMES else ""
    try:
        return Decimal(plain.removesuffix(plain[-1]).strip() if last else plain) * TIMES[last]
    except ArithmeticError:
        return None
