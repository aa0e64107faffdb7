"""Files of rows: CSV, JSON lines and Parquet, in the encodings that businesses really send."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import PurePath
from typing import Any, BinaryIO, TypeVar

from saas.encodings import SAVE, FileError, encoding_of

T = TypeVar("T")
Table = dict[str, list[Any]]
"""Columns of one length by their names."""

MAX_CELL = 100_000
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def tables(
    file: BinaryIO,
    name: str,
    aliases: Mapping[str, str],
    columns: Mapping[str, str] | None = None,
    *,
    size: int = 1_000,
) -> Iterator[Table]:
    """The rows of a file as tables of up to `size` rows; those before an unreadable place come first.

    `aliases` are other names that our columns go by; a column of our own name comes before them.
    `columns` is the sender's own mapping (theirs: ours) and comes before everything.
    """
    suffix = PurePath(name.lower()).suffix
    if suffix not in FORMATS:
        raise FileError(f"{name}: not a known format. Send one of {', '.join(FORMATS)}.")
    if not file.read(1):
        raise FileError(f"{name}: the file is empty.")
    file.seek(0)
    if suffix == ".parquet":
        found = _parquet(file, name, size)
    elif suffix in (".csv", ".tsv"):
        found = _csv(file, name, "\t" if suffix == ".tsv" else ",", size)
    else:
        found = map(_of_objects, _parted(_json_lines(file, name), size))
    chosen = {_plain(theirs): ours for theirs, ours in (columns or {}).items()}
    for table in found:
        yield _named(table, aliases, chosen)


def read(
    file: BinaryIO,
    name: str,
    aliases: Mapping[str, str],
    columns: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a file, as `rows` gives them."""
    for table in tables(file, name, aliases, columns):
        yield from rows(table)


def rows(table: Table) -> Iterator[dict[str, Any]]:
    """A table as dictionaries by column; cells without a value are left out."""
    for cells in zip(*table.values(), strict=True):
        yield {key: cell for key, cell in zip(table, cells, strict=True) if cell is not None}


def _named(table: Table, aliases: Mapping[str, str], chosen: Mapping[str, str]) -> Table:
    """The table with our names of columns and None for cells without a value."""

    def rank(column: str) -> int:
        return 2 if column in chosen else 0 if column in aliases else 1

    found: Table = {}
    plain = {_plain(column): cells for column, cells in table.items()}
    for column in sorted(plain, key=rank):
        cells = _with_none(plain[column])
        ours = chosen.get(column) or aliases.get(column) or column
        before = found.get(ours)
        if before is not None:
            cells = [old if cell is None else cell for cell, old in zip(cells, before, strict=True)]
        found[ours] = cells
    return found


def _parted(raw: Iterable[T], size: int) -> Iterator[list[T]]:
    """Rows by the thousand; those before an unreadable place come before its error."""
    part: list[T] = []
    try:
        for row in raw:
            part.append(row)
            if len(part) == size:
                yield part
                part = []
    except FileError:
        if part:
            yield part
        raise
    if part:
        yield part


def _of_objects(objects: list[dict[str, Any]]) -> Table:
    names = dict.fromkeys(name for row in objects for name in row)
    return {name: [row.get(name) for row in objects] for name in names}


def _plain(column: str) -> str:
    return column.strip().casefold()


def _with_none(cells: list[Any]) -> list[Any]:
    """No value is None: an empty cell, and the NaN that stands for it in a column of numbers."""
    return [None if cell == "" or cell != cell else cell for cell in cells]


@contextmanager
def _text(file: BinaryIO, name: str) -> Iterator[io.TextIOWrapper]:
    encoding = encoding_of(file, name)
    file.seek(0)
    stream = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield stream
    except UnicodeError as error:
        raise FileError(f"{name}: it cannot be read as {encoding}. {SAVE}") from error
    finally:
        stream.detach()


def _csv(file: BinaryIO, name: str, delimiter: str, size: int) -> Iterator[Table]:
    lines = _lines(file, name, delimiter)
    header = next(lines)
    for part in _parted(lines, size):
        yield dict(zip(header, map(list, zip_longest(*part)), strict=False))


def _lines(file: BinaryIO, name: str, delimiter: str) -> Iterator[Sequence[str]]:
    """The cells of each line that has any; a line may not have more than the first."""
    csv.field_size_limit(MAX_CELL)
    with _text(file, name) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        read = 0
        try:
            header = next(reader, [])
            _check_header(header, name)
            read = reader.line_num
            yield header
            for row in reader:
                if len(row) > len(header):
                    raise FileError(
                        f"{name}, line {reader.line_num}: more cells than columns. "
                        "Put cells that hold a comma in double quotes."
                    )
                read = reader.line_num
                if row:
                    yield tuple(row)  # the garbage collector takes no note of it, as of a list
        except csv.Error as error:
            raise FileError(
                f"{name}, line {read + 1}: {error}. A cell holds at most {MAX_CELL:,} "
                "characters: shorten it, or close the double quote that was left open."
            ) from error


def _check_header(names: Sequence[str], name: str) -> None:
    plain = [_plain(column) for column in names]
    if not any(plain):
        raise FileError(f"{name}: the first line must name the columns.")
    twice = [column for column, times in Counter(plain).items() if column and times > 1]
    if twice:
        raise FileError(f"{name}: the column {twice[0][:80]!r} is there twice. Rename one.")


def _json_lines(file: BinaryIO, name: str) -> Iterator[dict[str, Any]]:
    with _text(file, name) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                reason = str(error)[:200]
                raise FileError(f"{name}, line {number}: not valid JSON ({reason}).") from error
            if not isinstance(row, dict):
                raise FileError(
                    f"{name}, line {number}: each line must be a JSON object, as "
                    '{"column": "value"}.'
                )
            yield row


def _parquet(file: BinaryIO, name: str, size: int) -> Iterator[Table]:
    import pyarrow
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=size):
            columns = _whole_microseconds(batch)
            yield {
                column: columns.column(place).to_pylist()
                for place, column in enumerate(batch.schema.names)
            }
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise FileError(
            f"{name}: not a readable Parquet file ({str(error)[:200]}). Write it again."
        ) from error


def _whole_microseconds(batch: Any) -> Any:
    """Times of finer grain than Python's, which data frames write, cut to its grain."""
    import pyarrow

    for place, field in enumerate(batch.schema):
        if pyarrow.types.is_timestamp(field.type) and field.type.unit == "ns":
            coarser = pyarrow.timestamp("us", tz=field.type.tz)
            batch = batch.set_column(
                place, field.name, batch.column(place).cast(coarser, safe=False)
            )
    return batch
