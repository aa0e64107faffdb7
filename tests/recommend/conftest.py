from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path) -> None:
    """Models of a test go where they go away."""
    settings.ARTIFACTS = tmp_path / "artifacts"


GOODS = [
    # id, title, Chinese title, category, brand, price, tags, colour
    ("run-red", "Red running shoes", "红色跑鞋", "shoes", "Puma", "89", ["sale"], "red"),
    ("run-blue", "Blue running shoes", "蓝色跑鞋", "shoes", "Puma", "120", [], "blue"),
    (
        "run-pro",
        "Red racing shoes, carbon",
        "红色碳板跑鞋",
        "shoes",
        "Asics",
        "420",
        ["new"],
        "red",
    ),
    ("sock", "Wool socks", "羊毛袜", "socks", "Falke", "15", ["sale"], "grey"),
    ("sock-2", "Cotton socks", "棉袜", "socks", "Puma", "9", [], "white"),
    ("bottle", "Steel water bottle", "不锈钢水壶", "outdoor", "", None, [], None),
]


@pytest.fixture
def sports(shop: Any, worked_off: Any) -> Any:
    """A small shop of sports goods, with text vectors and without a model."""
    rows = [
        {
            **{"id": id_, "title": title, "category": category, "brand": brand, "price": price},
            **{"tags": tags, "attributes": {"colour": colour} if colour else {}},
            "translations": {"zh": {"title": chinese}},
        }
        for id_, title, chinese, category, brand, price, tags, colour in GOODS
    ]
    with worked_off():
        assert shop.call.post("items", rows).json()["created"] == len(GOODS)
    return shop
