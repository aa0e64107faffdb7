"""Questions about products are answered with what can be bought."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chat.test_handoffs import tell

ITEMS = [
    ("rain", "Stormshell Rain Jacket", "风暴防雨夹克", "Waterproof jacket with a hood", "89"),
    ("down", "Harbour Down Jacket", "港湾羽绒服", "Warm winter jacket, not waterproof", "189"),
    ("tent", "Ridgeline Tent", "山脊线双人帐篷", "Dome tent for two people", "129"),
    ("buds", "Pebble Wireless Earbuds", "卵石蓝牙耳机", "Bluetooth earbuds", "59"),
    ("pro", "Studio Headphones", "录音室头戴蓝牙耳机", "Over-ear bluetooth headphones", "399"),
    ("pen", "Brass Fountain Pen", "黄铜钢笔", "Writes with bottled ink", "39"),
    ("wok", "Carbon Steel Wok", "碳钢炒锅", "Pre-seasoned, 32 cm", "59"),
]


@pytest.fixture
def stocked(shop: Any, worked_off: Any) -> Any:
    rows = [
        {"id": id_, "title": title, "description": says, "price": price, "currency": "USD"}
        | {"translations": {"zh": {"title": chinese}}}
        for id_, title, chinese, says, price in ITEMS
    ]
    rows.append(rows[0] | {"id": "old", "available": False})
    with worked_off():
        assert shop.call.post("items", rows).json()["created"] == len(ITEMS) + 1
    return shop


def shown(answer: Any) -> list[str]:
    assert answer["kind"] == "items", answer
    return [item["id"] for item in answer["items"]]


def test_items_that_fit_are_shown_in_the_language_of_the_question(stocked) -> None:
    told = tell(stocked, "do you have waterproof jackets under 100?")
    answer = told["answer"]

    assert shown(answer) == ["rain"]
    assert answer["items"][0] == {
        "id": "rain",
        "title": "Stormshell Rain Jacket",
        "price": "89",
        "currency": "USD",
        "why": "Fits your question",
        "url": "",
        "image": "",
    }
    assert answer["text"] == "This is what we have:\n1. Stormshell Rain Jacket (89 USD)"
    messages = stocked.call.get(f"conversations/{told['conversation_id']}").json()["messages"]
    assert messages[1]["items"] == answer["items"]

    chinese = tell(stocked, "有没有300以下的蓝牙耳机")["answer"]
    assert shown(chinese) == ["buds"]
    assert chinese["items"][0]["title"] == "卵石蓝牙耳机"


def test_a_price_that_follows_is_read_with_the_question(stocked) -> None:
    first = tell(stocked, "有没有蓝牙耳机")
    assert set(shown(first["answer"])) == {"buds", "pro"}

    told = tell(stocked, "那100以下的呢", first["conversation_id"])["answer"]

    assert shown(told) == ["buds"]


@pytest.mark.parametrize(
    "text",
    ["Do you have a loyalty programme?", "do you sell houses?", "有没有优惠券", "推荐一部电影"],
)
def test_where_nothing_fits_no_item_is_shown(stocked, text: str) -> None:
    assert tell(stocked, text)["answer"]["kind"] == "fallback"


def test_without_a_catalog_nothing_is_shown(shop) -> None:
    assert tell(shop, "do you have tents?")["answer"]["kind"] == "fallback"
