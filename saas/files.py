"""Files of rows: CSV, JSON lines and Parquet, in the encodings that businesses really send."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, BinaryIO

from charset_normalizer import from_bytes

MAX_CELL = 100_000
SAMPLE = 256 * 1024
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


class FileError(ValueError):
    """A file cannot be read as rows; the message says why, where, and what to do."""


def read(file: BinaryIO, name: str, aliases: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The rows of a file as dictionaries by column. `aliases` maps other column names to ours."""
    suffix = PurePath(name.lower()).suffix
    if suffix not in FORMATS:
        raise FileError(f"{name}: not a known format. Send one of {', '.join(FORMATS)}.")
    if not file.read(1):
        raise FileError(f"{name}: the file is empty.")
    file.seek(0)
    if suffix == ".parquet":
        rows = _parquet(file, name)
    elif suffix in (".csv", ".tsv"):
        rows = _csv(file, name, "\t" if suffix == ".tsv" else ",")
    else:
        rows = _json_lines(file, name)
    for row in rows:
        yield {aliases.get(key, key): value for key, value in row.items() if value is not None}


def encoding_of(sample: bytes, name: str) -> str:
    """UTF-8, UTF-16/32 by their mark, or GB18030: what Chinese and English spreadsheets save."""
    for mark, encoding in BOMS.items():
        if sample.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample)
        return "utf-8"
    except UnicodeDecodeError:
        guess = from_bytes(sample, cp_isolation=["gb18030", "big5", "cp1252"]).best()
    if guess is None:
        raise FileError(f"{name}: the encoding is not recognised. Save the file as UTF-8.")
    return guess.encoding


@contextmanager
def _text(file: BinaryIO, name: str) -> Iterator[io.TextIOWrapper]:
    encoding = encoding_of(file.read(SAMPLE), name)
    file.seek(0)
    stream = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield stream
    except UnicodeDecodeError as error:
        raise FileError(
            f"{name}: byte {error.start} cannot be read as {encoding}. Save the file as UTF-8."
        ) from error
    finally:
        stream.detach()


def _csv(file: BinaryIO, name: str, delimiter: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(MAX_CELL)
    with _text(file, name) as stream:
        reader = csv.DictReader(stream, delimiter=delimiter)
        try:
            if not reader.fieldnames or not any(reader.fieldnames):
                raise FileError(f"{name}: the first line must name the columns.")
            for row in reader:
                if None in row:
                    raise FileError(
                        f"{name}, line {reader.line_num}: more cells than columns. "
                        "Put cells that hold a comma in double quotes."
                    )
                yield {key.strip(): value for key, value in row.items() if value}
        except csv.Error as error:
            hint = f"Cells hold at most {MAX_CELL:,} characters." if "limit" in str(error) else ""
            raise FileError(f"{name}, line {reader.line_num + 1}: {error}. {hint}") from error


def _json_lines(file: BinaryIO, name: str) -> Iterator[dict[str, Any]]:
    with _text(file, name) as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise FileError(f"{name}, line {number}: not valid JSON ({error}).") from error
            if not isinstance(row, dict):
                raise FileError(f"{name}, line {number}: each line must be a JSON object.")
            yield row


def _parquet(file: BinaryIO, name: str) -> Iterator[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=1000):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise FileError(f"{name}: not a readable Parquet file ({str(error)[:200]}).") from error
