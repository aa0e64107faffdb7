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
            **{"id": id_, "title": title, "category": category, "price": price, "tags": tags},
            "translations": {"zh": {"title": chinese}},
        }
        for id_, title, chinese, category, _, price, tags, _ in GOODS
    ]
    with worked_off():
        assert shop.call.post("items", rows).json()["created"] == len(GOODS)
    with shop.scope():
        from saas.recommend.models import Item
        from saas.training import store

        for id_, _, _, _, brand, _, _, colour in GOODS:
            own = {"attributes": {"colour": colour} if colour else {}}
            Item.objects.filter(external_id=id_).update(brand=brand, stock=None, **own)
        store.touch("catalog")
    return shop
