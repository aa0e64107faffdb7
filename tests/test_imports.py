"""Imports: the same rows by upload and by command, kept chunk by chunk, safe to repeat."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from saas import imports
from saas.chat.models import Passage, Reply
from saas.recommend.models import Event, Item
from saas.training.models import Example
from tenants import keys

FILES: dict[str, tuple[str, str]] = {
    "examples": ("a.csv", "text,intent\nwhere is it,order\n快递到哪了,order\n"),
    "replies": ("a.tsv", "intent\tlanguage\treply\norder\ten\tOn its way.\n"),
    "knowledge": ("a.jsonl", '{"q": "能寄电池吗？", "a": "可以"}\n'),
    "items": (
        "a.csv",
        'sku,name,tags,price,available,color\nT1,Tea,"tea|green",4.50,yes,red\nT2,Pot,,,no,\n',
    ),
    "events": (
        "a.csv",
        "user,item_id,event,time\nC1,T1,buy,2024-05-01 10:00:00\nC1,T1,view,2024-05-01T09:00:00Z\n",
    ),
}
MODELS: dict[str, Any] = {
    "examples": Example,
    "replies": Reply,
    "knowledge": Passage,
    "items": Item,
    "events": Event,
}
OWN = {"id", "tenant_id", "created_at"}  # differs from tenant to tenant


def stored(business: Any, kind: str) -> list[dict[str, Any]]:
    with business.scope():
        rows = MODELS[kind].objects.values()
        return sorted(({k: v for k, v in row.items() if k not in OWN} for row in rows), key=str)


def command(kind: str, slug: str, path: Path, *more: str) -> str:
    out = io.StringIO()
    call_command(f"import_{kind}", slug, str(path), *more, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.parametrize("kind", FILES)
def test_an_upload_and_a_command_store_the_same(kind: str, shop, bank, tmp_path: Path) -> None:
    name, content = FILES[kind]
    path = tmp_path / name
    path.write_text(content, encoding="utf-8-sig")

    uploaded = shop.call.upload(kind, name, path.read_bytes())
    printed = command(kind, bank.slug, path)

    assert uploaded.status_code == 200, uploaded.content
    rows = stored(shop, kind)
    assert uploaded.json()["created"] == len(rows) > 0
    assert uploaded.json()["failures"] == []
    assert stored(bank, kind) == rows
    assert f"{kind}: {len(rows)} created, 0 updated, 0 unchanged, 0 failed" in printed


@pytest.mark.parametrize("kind", FILES)
def test_importing_again_changes_nothing(kind: str, shop) -> None:
    name, content = FILES[kind]
    shop.call.upload(kind, name, content.encode("gb18030"))
    before = stored(shop, kind)

    again = shop.call.upload(kind, name, content.encode())

    assert (again.json()["unchanged"], again.json()["created"]) == (len(before), 0)
    assert stored(shop, kind) == before


def test_a_bad_row_is_named_and_the_others_are_kept(shop) -> None:
    content = (
        f"text,intent,language\nhello,greet,en\n,greet,en\n{'x' * 3000},greet,en\nbye,bye,fr\n"
    )

    answer = shop.call.upload("examples", "rows.csv", content.encode()).json()

    assert (answer["created"], answer["failed"]) == (1, 3)
    assert [(f["row"], f["errors"][0]["field"]) for f in answer["failures"]] == [
        (2, "text"),
        (3, "text"),
        (4, "language"),
    ]
    assert "Must be given" in answer["failures"][0]["errors"][0]["message"]
    assert "at most 2000 characters" in answer["failures"][1]["errors"][0]["message"]
    assert "'fr'" in answer["failures"][2]["errors"][0]["message"]


def test_numbers_are_ids_too(shop) -> None:
    lines = '{"id": 17850, "title": "Tea", "price": 2.5}\n{"id": 17851.0, "title": 1984}\n'

    assert shop.call.upload("items", "rows.jsonl", lines.encode()).json()["created"] == 2
    assert shop.call.get("items/17851").json()["title"] == "1984"


def test_nul_characters_fail_their_row_only(shop) -> None:
    content = b"text,intent\nhel\0lo,greet\nhello,greet\n"

    answer = shop.call.upload("examples", "rows.csv", content).json()

    assert (answer["created"], answer["failed"]) == (1, 1)
    assert "control character" in answer["failures"][0]["errors"][0]["message"]


REFUSED = {
    "other columns": ("examples", "a.csv", b"sku,name\n1,Tea\n", "Columns missing: intent, text"),
    "a column short": ("examples", "a.csv", b"text,label2\na,b\n", "columns found: label2, text"),
    "only a header": ("examples", "a.csv", b"text,intent\n", "no rows"),
    "an empty file": ("examples", "a.csv", b"", "empty"),
    "blank lines": ("examples", "a.jsonl", b"\n\n", "no rows"),
    "another format": ("examples", "a.xlsx", b"PK\3\4", "Send one of .csv"),
    "an unknown kind": ("customers", "a.csv", b"a\n", "kind must be one of events, examples"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_of_something_else_is_refused_whole(case: str, shop) -> None:
    kind, name, content, reason = REFUSED[case]

    answer = shop.call.upload(kind, name, content)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert reason in answer.json()["detail"]
    assert stored(shop, "examples") == []


def test_an_unreadable_place_keeps_the_rows_before_it(shop) -> None:
    lines = [f"question {n},greet" for n in range(1_234)]
    content = "\n".join(["text,intent", *lines, "one,cell,more", "never,read"])

    answer = shop.call.upload("examples", "rows.csv", content.encode())

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_file"
    assert "line 1236" in answer.json()["detail"]
    assert "The 1,234 good rows before that are kept" in answer.json()["detail"]
    assert len(stored(shop, "examples")) == 1_234


def test_a_database_lost_half_way_keeps_the_chunks_before(shop, monkeypatch) -> None:
    write = imports.rows.write

    def failing(kind: Any, raw: Any, *, first: int) -> Any:
        if first > 1:
            raise OperationalError("server closed the connection")
        return write(kind, raw, first=first)

    monkeypatch.setattr(imports.rows, "write", failing)
    content = "text,intent\n" + "".join(f"question {n},greet\n" for n in range(1_500))

    answer = shop.call.upload("examples", "rows.csv", content.encode())

    assert answer.status_code == 503
    assert len(stored(shop, "examples")) == 1_000


def test_the_same_text_twice_in_a_file_keeps_the_later_intent(shop) -> None:
    content = "text,intent\nHello,greet\nhello ,other\n"

    answer = shop.call.upload("examples", "rows.csv", content.encode()).json()

    assert (answer["created"], answer["updated"]) == (1, 1)
    assert [row["intent"] for row in stored(shop, "examples")] == ["other"]


def test_a_key_needs_the_scope_of_what_it_imports(shop) -> None:
    with shop.scope():
        _, secret = keys.issue(name="events only", scopes=["events:write"], actor="test")
    caller = type(shop.call)(secret)

    assert caller.upload("events", *_file("events")).status_code == 200
    refused = caller.upload("items", *_file("items"))

    assert refused.status_code == 403
    assert "items:write" in refused.json()["detail"]


def _file(kind: str) -> tuple[str, bytes]:
    name, content = FILES[kind]
    return name, content.encode()


def test_the_command_maps_columns(shop, tmp_path: Path) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_text(json.dumps({"Frage": "Wo?", "intent": "old", "Ziel": "order"}))

    command("examples", shop.slug, path, "--map", "frage=text", "--map", "Ziel=intent")

    assert [(row["text"], row["intent"]) for row in stored(shop, "examples")] == [("Wo?", "order")]


def test_the_command_prints_the_first_rows_that_fail(shop, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,intent\nhello,greet\n" + "x,\n" * 12)

    printed = command("examples", shop.slug, path)

    assert "row 2: intent: Must be given." in printed
    assert "and 2 more rows" in printed
    assert "1 created, 0 updated, 0 unchanged, 12 failed" in printed


def test_the_command_says_in_a_sentence_what_is_wrong(shop, tmp_path: Path) -> None:
    there = tmp_path / "a.csv"
    there.write_text("text,intent\n,\n,greet\n")
    wrong = {
        ("nobody", str(there)): "There is no tenant 'nobody'",
        (shop.slug, str(tmp_path / "b.csv")): "No such file",
        (shop.slug, str(tmp_path)): "Is a directory",
        (shop.slug, str(there)): "Columns missing: text",
        (shop.slug, str(there), "--map", "a"): "not of the form theirs=ours",
        (shop.slug, str(there), "--map", "a=b"): "examples have no such column",
    }

    for arguments, reason in wrong.items():
        with pytest.raises(CommandError) as raised:
            call_command("import_examples", *arguments)
        assert reason in str(raised.value)
        assert raised.value.returncode == 1
        assert "\n" not in str(raised.value)
