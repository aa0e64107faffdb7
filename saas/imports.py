"""Importing a file of rows, the same way from the command line and from an upload."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, TypeVar, get_args
from uuid import UUID

from saas import files, rows
from saas.chat import knowledge, replies
from saas.encodings import FileError
from saas.files import Table
from saas.labelling import turns
from saas.recommend import events, items, loading
from saas.training import examples
from tenants.scope import tenant_scope

KINDS: dict[str, rows.Kind[Any]] = {
    kind.name: kind
    for kind in (examples.KIND, replies.KIND, knowledge.KIND, items.KIND, events.KIND, turns.KIND)
}
LOADERS = {events.KIND.name: loading.Loader}  # what reads files quicker than row by row
CHUNK = 1_000
KEPT_ERRORS = 100
T = TypeVar("T")


class Report:
    """Counts of an import, and the first rows that failed."""

    def __init__(self) -> None:
        self.counts = {"created": 0, "updated": 0, "unchanged": 0, "failed": 0}
        self.failures: list[dict[str, Any]] = []
        self.retired = 0  # items that are available no more, as they were not in the whole catalog

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def kept(self) -> int:
        return self.total - self.counts["failed"]

    def add(self, outcome: rows.Outcome) -> None:
        for status, number in outcome.counts.items():
            self.counts[status] += number
        failed = (row for row in outcome.rows if row["status"] == "failed")
        self.failures.extend(islice(failed, KEPT_ERRORS - len(self.failures)))


def run(
    kind: rows.Kind[Any],
    file: BinaryIO,
    name: str,
    *,
    tenant_id: UUID,
    columns: Mapping[str, str] | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> Report:
    """Store a file's rows chunk by chunk, each in one transaction; rows count from 1.

    Importing the same file again is safe: rows that are there are updated or unchanged. A file that
    turns out unreadable half-way keeps the rows before that, and raises FileError that says so.
    """
    report = Report()
    try:
        for write in _ahead(_chunks(kind, file, name, columns)):
            with tenant_scope(tenant_id):
                report.add(write())
            advance(report.total)
    except FileError as error:
        if not report.total:
            raise
        raise FileError(
            f"{error} The {report.kept:,} good rows before that are kept; "
            "import the file again once it is mended."
        ) from error
    if report.total == 0:
        raise FileError(f"{name}: there are no rows in the file.")
    return report


def replace_items(
    file: BinaryIO,
    name: str,
    *,
    tenant_id: UUID,
    force: bool = False,
    columns: Mapping[str, str] | None = None,
    advance: Callable[[int], object] = lambda done: None,
) -> Report:
    """Store a file that is the whole catalog: items that are not in it are available no more.

    Raises Conflict, with nothing changed, where more than half of them would vanish, unless
    `force` says that this is meant.
    """
    kept = set(_ids(file, name, columns))
    with tenant_scope(tenant_id):
        items.check_whole(kept, force=force)
    file.seek(0)
    report = run(items.KIND, file, name, tenant_id=tenant_id, columns=columns, advance=advance)
    with tenant_scope(tenant_id):
        report.retired = items.retire_others(kept)
    return report


def _ids(file: BinaryIO, name: str, columns: Mapping[str, str] | None) -> Iterator[str]:
    for table in files.tables(file, name, items.KIND.aliases, columns):
        _check_columns(items.KIND, table, name)
        yield from (str(_digits(cell)).strip() for cell in table["id"])


def _ahead(parts: Iterator[T]) -> Iterator[T]:
    """The same, each part made while the one before is stored: the database has a core of its own."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = pool.submit(next, parts, None)
            yield part


def _chunks(
    kind: rows.Kind[Any], file: BinaryIO, name: str, columns: Mapping[str, str] | None
) -> Iterator[Callable[[], rows.Outcome]]:
    """What stores each part of a file, in its order."""
    load = LOADERS[kind.name]() if kind.name in LOADERS else None
    first = 1
    for table in files.tables(file, name, kind.aliases, columns, size=load.size if load else CHUNK):
        if first == 1:
            _check_columns(kind, table, name)
        ours = _ours(kind, table)
        if load:
            yield load.read(ours, first=first)
        else:
            yield partial(rows.write, kind, list(files.rows(ours)), first=first)
        first += len(next(iter(ours.values())))


def _check_columns(kind: rows.Kind[Any], table: Table, name: str) -> None:
    """Refuse a file that lacks a column we cannot do without, before anything is stored."""
    needed = {key for key, field in kind.form.model_fields.items() if field.is_required()}
    found = {column for column, cells in table.items() if any(cell is not None for cell in cells)}
    missing = sorted(needed - found)
    if kind.either and not found & set(kind.either):
        missing.insert(0, " or ".join(kind.either))
    if missing:
        raise FileError(
            f"{name}: these are not {kind.name}. Columns missing: {', '.join(missing)}; "
            f"columns found: {', '.join(sorted(found))[:300] or 'none'}. Rename them in the file."
        )


def _ours(kind: rows.Kind[Any], table: Table) -> Table:
    """Our columns. A number where a text is wanted, such as an id, is its digits; columns such as
    attributes.colour are parts of one map.
    """
    found: Table = {}
    for name, field in kind.form.model_fields.items():
        if name in table:
            cells = table[name]
            is_text = _is_text(field.annotation) and not {int, float}.isdisjoint(map(type, cells))
            found[name] = [_digits(cell) for cell in cells] if is_text else cells
        parts = {
            column.removeprefix(f"{name}."): cells
            for column, cells in table.items()
            if column.startswith(f"{name}.")
        }
        if parts:
            found[name] = list(map(partial(_map, list(parts)), *parts.values()))
    return found


def _map(names: Sequence[str], *cells: Any) -> dict[str, Any] | None:
    given = zip(names, cells, strict=True)
    return {name: _value(cell) for name, cell in given if cell is not None} or None


def _value(cell: Any) -> Any:
    """What a cell of text says: a number, true or false, a list, or else the text itself."""
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _is_text(annotation: Any) -> bool:
    """A text, or one that may be left out."""
    choices = get_args(annotation) or (annotation,)
    return any(choice is str or get_args(choice)[:1] == (str,) for choice in choices)


def _digits(cell: Any) -> Any:
    whole = isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer())
    return str(int(cell)) if whole and not isinstance(cell, bool) else cell
