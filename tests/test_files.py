"""Files of rows: every format and encoding that comes in, and what is said of those that cannot."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from saas import encodings, files
from saas.encodings import FileError

ROWS = [
    {"text": "快递到哪了，请帮我查询一下", "intent": "order_status"},
    {"text": 'A "quoted" word, and a comma', "intent": "refund_status"},
    {"text": "两行\n文字", "intent": "物流"},
]


def read(content: bytes, name: str = "rows.csv", **aliases: str) -> list[dict[str, Any]]:
    return list(files.read(io.BytesIO(content), name, aliases))


def as_csv(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json_lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def as_parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "gbk", "big5"]
)
def test_chinese_is_read_in_the_encodings_it_is_saved_in(encoding: str) -> None:
    rows = ROWS if encoding != "big5" else [{"text": "請問我的包裹什麼時候到", "intent": "物流"}]

    assert read(as_csv(rows).encode(encoding)) == rows
    assert read(as_csv(rows, "\t").encode(encoding), "rows.TSV") == rows
    assert read(as_json_lines(rows).encode(encoding), "rows.jsonl") == rows


def test_accented_letters_of_a_western_spreadsheet_are_read() -> None:
    rows = [{"text": "Où est mon colis ? Le café coûte 5 €", "intent": "statut"}]

    assert read(as_csv(rows).encode("cp1252")) == rows


def test_the_first_chinese_character_may_come_late() -> None:
    rows = [{"text": f"plain question {n}", "intent": "plain"} for n in range(60_000)] + ROWS

    assert read(as_csv(rows).encode("gb18030"))[-3:] == ROWS
    assert read(as_csv(rows).encode("utf-8"))[-3:] == ROWS


@pytest.mark.parametrize("shift", range(4))
def test_a_character_may_lie_across_the_border_of_a_block(shift: int) -> None:
    header = "text\n"
    padding = "x" * 99_999 + "\n"
    lines = header + padding * ((encodings.BLOCK - len(header)) // len(padding))
    lines += "y" * (encodings.BLOCK - len(lines) - shift) + "快递\n"

    for encoding in ("utf-8", "gb18030"):
        assert read(lines.encode(encoding))[-1]["text"].endswith("快递")


def test_parquet_is_read_with_its_types() -> None:
    at = datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
    times = pyarrow.array([at, None], pyarrow.timestamp("us", tz="UTC")).cast(
        pyarrow.timestamp("ns", tz="UTC")
    )

    rows = read(as_parquet(Customer=[17850, 7], at=times, price=[1.5, float("nan")]), "a.parquet")

    assert rows == [{"customer": 17850, "at": at, "price": 1.5}, {"customer": 7}]


def test_columns_are_found_by_their_other_names() -> None:
    content = b" Utterance ,LABEL\nhello,greet\n"

    assert read(content, utterance="text", label="intent") == [{"text": "hello", "intent": "greet"}]


def test_a_column_of_our_own_name_comes_before_another_name_of_it() -> None:
    content = b"category,text,intent\nshipping,hello,greet\n"

    assert read(content, category="intent") == [{"text": "hello", "intent": "greet"}]


def test_the_senders_own_mapping_comes_before_everything() -> None:
    content = io.BytesIO(b"intent,Goal\nold,new\n")

    assert list(files.read(content, "a.csv", {}, {"goal": "intent"})) == [{"intent": "new"}]


def test_cells_that_are_empty_or_missing_are_left_out() -> None:
    assert read(b"a,b,c\n1,,\n2\n") == [{"a": "1"}, {"a": "2"}]


UNREADABLE = {
    "an empty file": ("rows.csv", b"", "is empty"),
    "an unknown kind of file": ("rows.xlsx", b"PK", ".csv, .tsv, .jsonl, .ndjson, .parquet"),
    "no suffix": ("rows", b"text\n", ".parquet"),
    "a blank header": ("rows.csv", b"\n\na,b\n", "first line must name the columns"),
    "a column twice": ("rows.csv", b"text,Text\na,b\n", "'text' is there twice"),
    "a row with more cells": ("rows.csv", b"text,intent\na,b\na,b,c\n", "line 3: more cells"),
    "a gigantic cell": ("rows.csv", b"text\n" + b"x" * 10_000_000, "line 2: field larger"),
    "an open quote": ("rows.csv", b'text\n"x' + b"y\n" * 60_000, "double quote that was left open"),
    "broken JSON": ("rows.jsonl", b'{"a": 1}\n{"a": \n', "line 2: not valid JSON"),
    "deep JSON": ("rows.jsonl", b"[" * 100_000, "line 1: not valid JSON"),
    "JSON that is no object": ("rows.jsonl", b'["a"]\n', "must be a JSON object"),
    "text named Parquet": ("rows.parquet", b"text,intent\n", "not a readable Parquet file"),
    "truncated Parquet": ("a.parquet", as_parquet(a=["x"] * 99)[:-30], "not a readable Parquet"),
    "damaged UTF-8": ("rows.csv", "text\n快递到哪了".encode()[:-1] + b"\n", "but for byte 17"),
    "no encoding at all": ("rows.csv", b"text\n" + bytes(range(128, 256)), "not recognised"),
    "half a UTF-16 character": ("rows.csv", "text\nab\n".encode("utf-16")[:-1], "as utf-16"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_said_clearly(case: str) -> None:
    name, content, reason = UNREADABLE[case]

    with pytest.raises(FileError) as raised:
        read(content, name)

    assert str(raised.value).startswith(name)
    assert reason in str(raised.value)
    assert len(str(raised.value)) < 400


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=40)
TABLES = st.lists(st.fixed_dictionaries({"text": CELLS, "intent": CELLS}), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows=TABLES, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_was_written_is_read(rows: list[dict[str, str]], encoding: str) -> None:
    assert read(as_csv(rows).encode(encoding)) == rows
    assert read(as_json_lines(rows).encode(encoding), "rows.jsonl") == rows


WORDS = "请问我的订单什么时候能到，谢谢。退款查询物流 abc123"
EVERYDAY = st.text(st.sampled_from(WORDS), min_size=4, max_size=40)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(EVERYDAY.filter(str.strip), min_size=1, max_size=20))
def test_everyday_chinese_is_read_from_gb18030(texts: list[str]) -> None:
    rows = [{"text": text} for text in texts]
    content = as_csv(rows).encode("gb18030")
    # A few characters can happen to be UTF-8 as well, which then wins: 么 is ô.
    assume("\ufffd" in content.decode("utf-8", "replace") or content.isascii())

    assert read(content) == rows
