"""The catalog over HTTP: written by id, read back as written, deleted for good."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pyarrow
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone
from pyarrow import parquet

from saas.recommend import catalog
from saas.recommend.models import Item

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


MUG = {
    "id": "MUG",
    "title": "Mug",
    "brand": "青山",
    "attributes": {"colour": "红", "ml": 350, "handle": True, "for": ["tea", "茶"]},
    "url": "https://shop.example/mug?a=1",
    "image": "http://shop.example/mug.png",
    "stock": 3,
    "available_from": "2024-05-01T08:00:00+08:00",
    "available_until": "2124-05-01T00:00:00Z",
}


def test_own_fields_addresses_stock_and_times_are_kept(shop) -> None:
    assert shop.call.post("items", [MUG]).json()["created"] == 1
    assert shop.call.post("items", [MUG]).json()["unchanged"] == 1

    item = shop.call.get("items/MUG").json()

    assert {name: item[name] for name in MUG} == MUG | {"available_from": "2024-05-01T00:00:00Z"}


def test_what_an_item_cannot_be_is_said(shop) -> None:
    wrong = {
        "attributes": (
            {"a": {"b": 1}},
            {"a": None},
            {"a": [1]},
            {"": 1},
            {"a": 1e300},
            {"a": "x" * 501},
            {str(n): n for n in range(51)},
            "red",
        ),
        "url": ("javascript:alert(1)", "//shop.example", "https://", "ftp://shop.example"),
        "image": ("data:image/png;base64,AA", "https://a b"),
        "stock": (-1, 2.5, 1e12),
        "available_from": ("soon",),
    }
    rows = [MUG | {field: value} for field, values in wrong.items() for value in values]
    rows.append(MUG | {"available_until": MUG["available_from"]})

    answer = shop.call.post("items", rows).json()

    fields = [row["errors"][0]["field"].split(".")[0] for row in answer["rows"]]
    assert fields == [field for field, values in wrong.items() for _ in values] + ["row"]
    said = [row["errors"][0]["message"] for row in answer["rows"]]
    assert "nothing nested" in said[0]
    assert "begins with https://" in said[8]
    assert "must lie after available_from" in said[-1]


def test_a_part_of_an_item_is_changed_and_the_rest_stays(shop) -> None:
    shop.call.post("items", [MUG])

    changed = shop.call("PATCH", "items/MUG", {"stock": 0, "price": "9.50", "brand": ""})

    before = {name: MUG[name] for name in MUG if not name.startswith("available")}
    after = before | {"stock": 0, "price": "9.5000", "brand": ""}
    assert {name: changed.json()[name] for name in after} == after
    assert shop.call.get("items/MUG").json() == changed.json()
    assert shop.call("PATCH", "items/none", {"stock": 0}).status_code == 404


def test_a_change_that_makes_no_item_changes_nothing(shop) -> None:
    shop.call.post("items", [MUG])
    for change, field in (
        ({"title": None}, "title"),
        ({"stock": -1}, "stock"),
        ({"id": "CUP"}, "id"),
        ({"available_until": "2020-01-01"}, "body"),
    ):
        answer = shop.call("PATCH", "items/MUG", change)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == field
    assert shop.call.get("items/MUG").json()["stock"] == 3


def _embedded(shop: Any) -> bytes | None:
    with shop.scope():
        vector: bytes | None = Item.objects.get(external_id="MUG").vector
    return vector


def test_only_a_new_text_is_read_anew(shop, worked_off) -> None:
    with worked_off():
        shop.call.post("items", [MUG])
    first = bytes(_embedded(shop) or b"")
    assert first

    shop.call("PATCH", "items/MUG", {"stock": 0, "price": "1"})
    shop.call.post("items", [MUG | {"available": False, "attributes": {}}])
    assert bytes(_embedded(shop) or b"") == first

    shop.call("PATCH", "items/MUG", {"brand": "Other"})
    assert _embedded(shop) is None


ROWS = "id,title,attributes.Colour,attributes.ml,translations.zh.title,stock\n"


def test_a_file_carries_own_fields_in_columns_or_in_json(shop) -> None:
    plain = f"{ROWS}MUG,Mug,red,350,杯子,4\nCUP,Cup,,true,,\n".encode()
    json_lines = b'{"id": "POT", "title": "Pot", "attributes": {"ml": 1.5, "for": ["tea"]}}\n'
    table = io.BytesIO()
    columns = {"id": ["PAN"], "title": ["Pan"], "attributes": ['{"for": ["eggs"]}'], "stock": [7]}
    parquet.write_table(pyarrow.table(columns), table)

    for name, content in (
        ("a.csv", plain),
        ("a.jsonl", json_lines),
        ("a.parquet", table.getvalue()),
    ):
        assert shop.call.upload("items", name, content).json()["failed"] == 0

    found = {item["id"]: item for item in shop.call.get("items").json()["results"]}
    assert {id_: item["attributes"] for id_, item in found.items()} == {
        "MUG": {"colour": "red", "ml": 350},
        "CUP": {"ml": True},
        "POT": {"ml": 1.5, "for": ["tea"]},
        "PAN": {"for": ["eggs"]},
    }
    assert found["MUG"]["translations"]["zh"]["title"] == "杯子"
    assert [found[id_]["stock"] for id_ in ("MUG", "CUP", "PAN")] == [4, None, 7]


def _replace(shop: Any, rows: int, **more: str) -> Any:
    content = "id,title\n" + "".join(f"T{n},Tea {n}\n" for n in range(rows))
    sent = {
        "kind": "items",
        "replace": "true",
        "file": SimpleUploadedFile("a.csv", content.encode()),
    }
    return shop.call.client.post(
        "/v1/imports", sent | more, headers={"Authorization": f"Bearer {shop.secret}"}
    )


def test_a_whole_catalog_makes_the_rest_unavailable_but_not_most_of_it(shop) -> None:
    def available() -> list[str]:
        items = shop.call.get("items").json()["results"]
        return [item["id"] for item in items if item["available"]]

    shop.call.post("items", [{"id": f"T{n}", "title": "Tea"} for n in range(10)])
    before = shop.call.get("items").json()

    refused = _replace(shop, 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog_shrinks")
    assert "lacks 9 of the 10 available items" in refused.json()["detail"]
    assert shop.call.get("items").json() == before

    assert _replace(shop, 5).json()["retired"] == 5
    assert available() == [f"T{n}" for n in range(5)]
    assert _replace(shop, 1, force="true").json()["retired"] == 4
    assert available() == ["T0"]
    assert _replace(shop, 3).json() | {"failures": []} == {
        **{"kind": "items", "created": 0, "updated": 2, "unchanged": 1, "failed": 0},
        **{"retired": 0, "failures": []},
    }
    assert _replace(shop, 1, kind="events").status_code == 400


def test_the_command_replaces_only_what_is_confirmed(shop, tmp_path) -> None:
    shop.call.post("items", [{"id": f"T{n}", "title": "Tea"} for n in range(4)])
    path = tmp_path / "a.csv"
    path.write_text("id,title\nT0,Tea\n")

    with pytest.raises(CommandError, match="3 of the 4"):
        call_command("import_items", shop.slug, str(path), "--replace")
    with pytest.raises(CommandError, match="Give both"):
        call_command("import_items", shop.slug, str(path), "--force")
    call_command("import_items", shop.slug, str(path), "--replace", "--force")

    items = shop.call.get("items").json()["results"]
    assert [item["id"] for item in items if item["available"]] == ["T0"]


def _shown(shop: Any) -> set[str]:
    return {pick["item"] for pick in shop.call.post("recommendations", {}).json()["items"]}


def test_what_is_sold_out_or_not_within_its_times_is_not_recommended(shop, monkeypatch) -> None:
    now = timezone.now()
    hour = timedelta(hours=1)
    rows = {
        "always": {},
        "counted": {"stock": 1},
        "sold out": {"stock": 0},
        "ended": {"available_until": str(now - hour)},
        "ends": {"available_until": str(now + hour)},
        "begins": {"available_from": str(now + hour)},
        "a day": {"available_from": str(now + 2 * hour), "available_until": str(now + 26 * hour)},
    }
    shop.call.post("items", [{"id": id_, "title": "Tea", **more} for id_, more in rows.items()])
    assert _shown(shop) == {"always", "counted", "ends"}

    # Nothing is written meanwhile: time alone opens and closes.
    monkeypatch.setattr(catalog.timezone, "now", lambda: now + hour)
    assert _shown(shop) == {"always", "counted", "begins"}
    monkeypatch.setattr(catalog.timezone, "now", lambda: now + 3 * hour)
    assert _shown(shop) == {"always", "counted", "begins", "a day"}
    monkeypatch.setattr(catalog.timezone, "now", lambda: now + 27 * hour)
    shop.call("PATCH", "items/counted", {"stock": 0})
    assert _shown(shop) == {"always", "begins"}
