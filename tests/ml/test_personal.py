"""Personal data is taken out; what only looks like it stays."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.personal import find, redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Write to mei.lin+shop@example.co.uk please", "Write to <email> please"),
        ("我的手机是13812345678，请回电", "我的手机是<phone>，请回电"),
        ("电话 138-1234-5678", "电话 <phone>"),
        ("Call me on +1 415-555-2671 or +86 138 1234 5678", "Call me on <phone> or <phone>"),
        ("My number is (415) 555-2671.", "My number is <phone>."),
        ("身份证号11010519491231002X", "身份证号<id_card>"),
        ("Card 4111 1111 1111 1111, expires soon", "Card <bank_card>, expires soon"),
        ("银行卡6222020000000000000尾号", "银行卡<bank_card>尾号"),
        ("a@b.cn 和 13912345678", "<email> 和 <phone>"),
    ],
)
def test_personal_data_is_taken_out(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "Order 20261125001234 has not arrived",
        "订单号 202611250012345678 到哪了",
        "It costs 1,299.00 and weighs 12.5 kg",
        "The lamp XR-2200 from 2026-11-25",
        "Card 4111 1111 1111 1112",
        "版本 3.13.0 和 192.168.0.1",
        "me@home",
        "",
    ],
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=200))
def test_nothing_overlaps_and_the_rest_stays(text: str) -> None:
    found = find(text)
    assert all(one.end <= two.start for one, two in pairwise(found))
    assert len(redact(text)) == len(text) + sum(
        len(f"<{f.kind}>") - (f.end - f.start) for f in found
    )
