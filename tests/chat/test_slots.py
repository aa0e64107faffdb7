"""What a slot finds in what customers write, in both languages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from saas.chat import slots
from saas.chat.slots import Slot, Unfit

TODAY = date(2026, 11, 26)  # a Thursday


def slot(kind: str, **more: Any) -> Slot:
    return Slot.model_validate({"name": "it", "kind": kind, "ask": {"en": "?"}} | more)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I ordered it yesterday", "2026-11-25"),
        ("the day before yesterday", "2026-11-24"),
        ("last Friday", "2026-11-20"),
        ("on Nov 20", "2026-11-20"),
        ("on the 20th of December", "2025-12-20"),
        ("3 days ago", "2026-11-23"),
        ("2026-11-20", "2026-11-20"),
        ("昨天买的", "2026-11-25"),
        ("上周三", "2026-11-18"),
        ("十一月二十号", "2026-11-20"),
        ("两个星期前", "2026-11-12"),
        ("2026年2月30日", None),
        ("I may want two of them", None),
        ("订单10023", None),
    ],
)
def test_days(text: str, found: str | None) -> None:
    assert slots.find(slot("date"), text, today=TODAY) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I paid 500 dollars for it", "500"),
        ("it was $1,200.50", "1200.50"),
        ("五百块", "500"),
        ("¥３００", "300"),
        ("一千二百元左右", "1200"),
        ("2千元", "2000"),
        ("two of them for 3 people", None),
    ],
)
def test_amounts(text: str, found: str | None) -> None:
    assert slots.find(slot("amount"), text, today=TODAY) == found


@pytest.mark.parametrize(
    ("wanted", "text", "read"),
    [
        (slot("amount"), "about 49.90", "49.90"),
        (slot("amount", max=100), "200", "It can be 100 at most."),
        (slot("amount", min=10), "5", "It must be 10 at least."),
        (slot("choice", choices=["refund", "exchange"]), "an Exchange please", "exchange"),
        (slot("choice", choices=["refund", "exchange"]), "2", "exchange"),
        (slot("choice", choices=["退款", "换货"]), "两个都行", "Please choose one of: 退款, 换货."),
        (slot("text"), "  the strap broke ", "the strap broke"),
        (slot("order_number", pattern="HP-[0-9]{4}"), "it says HP-0042.", "HP-0042"),
        (slot("order_number", pattern="(a+)+b"), "a" * 5_000, "I could not find a number of that"),
        (slot("date", when="past"), "tomorrow", "That day is still to come."),
    ],
)
def test_an_answer_is_read_or_put_right(wanted: Slot, text: str, read: str) -> None:
    try:
        found = slots.read(wanted, text, language="en", today=TODAY)
    except Unfit as wrong:
        found = str(wrong)
    assert found.startswith(read)
