"""Importing a file of rows, the same way from the command line and from an upload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID

from saas import files, rows
from saas.chat import knowledge, replies
from saas.labelling import turns
from saas.recommend import catalog, events
from saas.training import examples
from tenants.scope import tenant_scope

KINDS: dict[str, rows.Kind[Any]] = {
    kind.name: kind
    for kind in (examples.KIND, replies.KIND, knowledge.KIND, catalog.KIND, events.KIND, turns.KIND)
}
CHUNK = 1_000
KEPT_ERRORS = 100


class Report:
    """Counts of an import, and the first rows that failed."""

    def __init__(self) -> None:
        self.counts = {"created": 0, "updated": 0, "unchanged": 0, "failed": 0}
        self.failures: list[dict[str, Any]] = []

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
        for chunk in _chunks(files.read(file, name, kind.aliases, columns)):
            if report.total == 0:
                _check_columns(kind, chunk, name)
            known = [_cells(kind, row) for row in chunk]
            with tenant_scope(tenant_id):
                report.add(rows.write(kind, known, first=report.total + 1))
            advance(report.total)
    except files.FileError as error:
        if not report.total:
            raise
        raise files.FileError(
            f"{error} The {report.kept:,} good rows before that are kept; "
            "import the file again once it is mended."
        ) from error
    if report.total == 0:
        raise files.FileError(f"{name}: there are no rows in the file.")
    return report


def _check_columns(kind: rows.Kind[Any], chunk: list[dict[str, Any]], name: str) -> None:
    """Refuse a file that lacks a column we cannot do without, before anything is stored."""
    needed = {key for key, field in kind.form.model_fields.items() if field.is_required()}
    found = {column for row in chunk for column in row}
    missing = needed - found
    if missing:
        raise files.FileError(
            f"{name}: these are not {kind.name}. Columns missing: {', '.join(sorted(missing))}; "
            f"columns found: {', '.join(sorted(found))[:300] or 'none'}. Rename them in the file."
        )


def _cells(kind: rows.Kind[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of our columns. A number where a text is wanted, such as an id, is its digits."""
    cells = {}
    for column, field in kind.form.model_fields.items():
        if column in row:
            value = row[column]
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            is_digits = field.annotation is str and whole and not isinstance(value, bool)
            cells[column] = str(int(value)) if is_digits else value
    return cells


def _chunks(raw: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows by the thousand; those before an unreadable place come before its error."""
    chunk: list[dict[str, Any]] = []
    try:
        for row in raw:
            chunk.append(row)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except files.FileError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk
