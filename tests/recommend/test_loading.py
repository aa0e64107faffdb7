"""A file of events goes in by the ten thousand and says the same of each row as the API does."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pyarrow
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyarrow import parquet
from pydantic import ValidationError

from saas import imports, rows
from saas.recommend import arrivals, events, loading
from saas.recommend.events import EventRow

CELLS: dict[str, Any] = {
    "customer": [
        "C1",
        " C1 ",
        "session:x",
        "王",
        "",
        " ",
        "a\tb",
        "x" * 129,
        7,
        7.5,
        True,
        {},
        None,
    ],
    "session": ["s", "会话", "x" * 121, 1, None],
    "item": ["T1", "T\\1", "物", False, [], None],
    "kind": ["view", "buy", "custom", "VIEW", None],
    "name": ["call", "到店", "a\nb", "x" * 61, None],
    "value": ["4.5", "1", 1, True, "much", -1, 1e300, None],
    "quantity": ["2", 2, 0, "-1", None],
    "context": ['{"a": "\\\\ \\n 页"}', {"n": 1}, "red", "[1]", [], {"a": {}}, None],
    "recommendation": ["5e0f4a525f2c4d279f5e0d6d1f2b7a11", UUID(int=1), "x", None],
    "at": [
        *("2024-05-01", "2024-05-01 10:00:00", "2024-05-01T18:00:00.5+08:00", "soon", 1e300),
        *(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1), 1_714_557_600, "1970-01-01"),
    ],
}
TABLES = st.lists(
    st.fixed_dictionaries({k: st.sampled_from(v) for k, v in CELLS.items()}), min_size=1
)


def by_form(table: dict[str, list[Any]]) -> tuple[list[arrivals.Line], list[dict[str, Any]]]:
    """What the form makes of a table row by row, as it does of the API's."""
    lines, failed = [], []
    for place, cells in enumerate(zip(*table.values(), strict=True)):
        given = {name: cell for name, cell in zip(table, cells, strict=True) if cell is not None}
        try:
            lines.append(events.line_of(EventRow.model_validate(given)))
        except ValidationError as error:
            failed.append({"row": place + 1, "status": "failed", "errors": rows.explain(error)})
    return lines, failed


@hypothesis_settings(max_examples=150, deadline=None)
@given(raw=TABLES)
def test_whole_columns_are_read_as_rows_are(raw: list[dict[str, Any]]) -> None:
    table = {name: [row[name] for row in raw] for name in CELLS}

    store = loading.Loader().read(table, first=1)

    lines, failed = by_form(table)
    assert store.args == (lines, failed)


def content(name: str, sent: list[dict[str, Any]]) -> bytes:
    if name.endswith(".jsonl"):
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in sent).encode()
    flat = {key: [row.get(key) for row in sent] for row in sent for key in row}
    flat["context"] = [json.dumps(row["context"]) if row.get("context") else None for row in sent]
    if name.endswith(".parquet"):
        whole = io.BytesIO()
        times = [datetime.fromisoformat(at) for at in flat["at"]]
        parquet.write_table(pyarrow.table(flat | {"at": times}), whole)
        return whole.getvalue()
    lines = ["\t".join(flat)]
    lines += [
        "\t".join("" if v is None else str(v) for v in cells)
        for cells in zip(*flat.values(), strict=True)
    ]
    return "\n".join(lines).encode("gb18030")


def test_a_file_of_any_format_and_the_api_store_the_same_once(shop, monkeypatch) -> None:
    monkeypatch.setattr(loading.Loader, "size", 3)  # several parts
    monkeypatch.setattr(arrivals, "BY_COPY", 2)  # by COPY as well as without
    sent = [
        {
            "customer": f"C{n % 3}",
            "item": f"茶\\{n}",
            "kind": "buy",
            "at": f"2024-05-01T10:00:0{n}Z",
        }
        | {"quantity": n, "context": {"页": "a\tb\\n"} if n % 2 else {}}
        for n in range(7)
    ]

    assert shop.call.post("events", sent[:2]).json()["created"] == 2
    answers = [
        shop.call.upload("events", name, content(name, sent)).json()
        for name in ("a.tsv", "a.jsonl", "a.parquet")
    ]

    assert [(a["created"], a["unchanged"], a["failed"]) for a in answers] == [
        *((5, 2, 0), (0, 7, 0), (0, 7, 0)),
    ]
    found = shop.call.get("events").json()["results"]
    assert [{name: row[name] for name in sent[0]} for row in reversed(found)] == [
        row | {"quantity": float(row["quantity"])} for row in sent
    ]


def test_a_bad_row_is_named_by_its_number_in_whatever_part(shop, monkeypatch) -> None:
    monkeypatch.setattr(loading.Loader, "size", 2)
    lines = "user_id,session_id,item,event,time,context.page\n"
    lines += "C1,,A,view,2024-05-01,7\n,,A,view,2024-05-01,\nC1,,A,stole,2024-05-01,\n"
    lines += "C1,s,B,view,soon,\n,s,C,view,2024-05-01,首页\n"

    answer = shop.call.upload("events", "a.csv", lines.encode()).json()

    assert (answer["created"], answer["failed"]) == (2, 3)
    assert [(row["row"], row["errors"][0]["field"]) for row in answer["failures"]] == [
        *((2, "row"), (3, "kind"), (4, "at")),
    ]
    found = shop.call.get("events").json()["results"]
    assert {row["item"]: (row["customer"], row["context"]) for row in found} == {
        "A": ("C1", {"page": 7}),
        "C": ("session:s", {"page": "首页"}),
    }


def test_a_file_without_anybody_is_refused_whole(shop) -> None:
    answer = shop.call.upload("events", "a.csv", b"item,kind\nA,view\n")

    assert answer.status_code == 400
    assert "Columns missing: customer or session" in answer.json()["detail"]


def test_a_file_tells_who_a_session_was(shop, monkeypatch) -> None:
    monkeypatch.setattr(loading.Loader, "size", 2)
    lines = "customer,session,item,at\n,s,A,2024-05-01\n,t,B,2024-05-01\nC1,s,C,2024-05-02\n,s,D,2024-05-03\n"

    assert shop.call.upload("events", "a.csv", lines.encode()).json()["created"] == 4
    assert shop.call.upload("events", "a.csv", lines.encode()).json()["unchanged"] == 4

    found = shop.call.get("events").json()["results"]
    assert {row["item"]: row["customer"] for row in found} == {
        **dict.fromkeys("ACD", "C1"),
        "B": "session:t",
    }


def test_progress_is_told_part_by_part(shop, monkeypatch) -> None:
    monkeypatch.setattr(loading.Loader, "size", 2)
    told: list[int] = []
    lines = b"customer,item,at\n" + b"".join(b"C1,%d,2024-05-01\n" % n for n in range(5))

    imports.run(events.KIND, io.BytesIO(lines), "a.csv", tenant_id=shop.id, advance=told.append)

    assert told == [2, 4, 5]
