"""Importing a file of rows, the same way from the command line and from an upload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID

from saas import files, rows
from saas.chat import knowledge, replies
from saas.recommend import catalog, events
from saas.training import examples
from tenants.scope import tenant_scope

KINDS: dict[str, rows.Kind[Any]] = {
    kind.name: kind
    for kind in (examples.KIND, replies.KIND, knowledge.KIND, catalog.KIND, events.KIND)
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
    advance: Callable[[int], object] = lambda done: None,
) -> Report:
    """Store a file's rows chunk by chunk, each in one transaction; rows count from 1.

    Importing the same file again is safe: rows that are there are updated or unchanged. A file that
    turns out unreadable half-way raises FileError and says how many rows were kept.
    """
    report = Report()
    try:
        for chunk in _chunks(_known_columns(kind, files.read(file, name, kind.aliases), name)):
            with tenant_scope(tenant_id):
                report.add(rows.write(kind, chunk, first=report.total + 1))
            advance(report.total)
    except files.FileError as error:
        kept = report.total - report.counts["failed"]
        raise files.FileError(f"{error} Rows kept before that: {kept:,}.") from error
    if report.total == 0:
        raise files.FileError(f"{name}: the file has columns but no rows.")
    return report


def _known_columns(
    kind: rows.Kind[Any], raw: Iterator[dict[str, Any]], name: str
) -> Iterator[dict[str, Any]]:
    """Drop columns that are not ours; refuse a file that lacks the ones we cannot do without."""
    known = set(kind.form.model_fields)
    needed = {key for key, field in kind.form.model_fields.items() if field.is_required()}
    for number, row in enumerate(raw, start=1):
        if number == 1 and not needed & set(row):
            raise files.FileError(
                f"{name}: these are not {kind.name}. Columns needed: {', '.join(sorted(needed))}; "
                f"columns found: {', '.join(sorted(map(str, row)))[:300]}."
            )
        yield {key: value for key, value in row.items() if key in known}


def _chunks(raw: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(raw, CHUNK)):
        yield chunk
