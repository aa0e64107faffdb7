"""The catalog over HTTP: written by id, read back as written, deleted for good."""

from __future__ import annotations

TEA = {
    "id": "TEA/01 绿茶",
    "title": "Longjing",
    "description": "Spring harvest",
    "tags": ["tea", "green"],
    "price": "24.50",
    "currency": "CNY",
    "category": "tea",
    "translations": {"zh": {"title": "龙井"}},
}


def test_an_item_is_read_back_as_it_was_written(shop) -> None:
    assert shop.call.post("items", [TEA]).json()["created"] == 1
    assert shop.call.post("items", [TEA]).json()["unchanged"] == 1

    item = shop.call.get("items/TEA/01%20绿茶").json()

    assert item["translations"] == {"zh": {"title": "龙井", "description": ""}}
    assert (item["price"], item["available"]) == ("24.5000", True)
    assert all(item[name] == TEA[name] for name in ("id", "title", "tags", "currency", "category"))


def test_an_item_written_again_is_replaced(shop) -> None:
    shop.call.post("items", [TEA])

    assert shop.call.post("items", [{"id": TEA["id"], "title": "Tea"}]).json()["updated"] == 1

    (item,) = shop.call.get("items").json()["results"]
    assert (item["title"], item["tags"], item["price"]) == ("Tea", [], None)


def test_a_deleted_item_is_gone(shop) -> None:
    shop.call.post("items", [TEA])

    assert shop.call.delete("items/TEA/01 绿茶").status_code == 204
    assert shop.call.delete("items/TEA/01 绿茶").status_code == 404
    assert shop.call.get("items").json()["results"] == []


def test_fields_that_do_not_fit_are_named(shop) -> None:
    wrong = {
        "price": ("-1", "1e9999", "12345678901.12345", "abc"),
        "currency": ("usd", "EURO"),
        "available": ("perhaps",),
        "tags": (["x" * 61], ["tag"] * 51, [""]),
        "translations": ({"fr": {"title": "thé"}}, {"zh": {}}, {"zh": "龙井"}),
        "id": ("", "x" * 129, "a\nb", None, 7),
    }
    rows = [TEA | {field: value} for field, values in wrong.items() for value in values]

    answer = shop.call.post("items", rows).json()

    fields = [row["errors"][0]["field"].split(".")[0] for row in answer["rows"]]
    assert fields == [field for field, values in wrong.items() for _ in values]
    assert shop.call.get("items").json()["results"] == []
