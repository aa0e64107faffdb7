"""Files of rows: CSV, JSON lines and Parquet, in the encodings that businesses really send."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, BinaryIO

MAX_CELL = 100_000
BLOCK = 1024 * 1024
SAMPLE = 64 * 1024
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The two-byte characters that everyday Chinese is written with: punctuation and the common ideographs.
COMMON = {
    "gb18030": (range(0xA1, 0xA4), range(0xB0, 0xD8), range(0xA1, 0xFF)),
    "big5hkscs": (range(0xA1, 0xA4), range(0xA4, 0xC7), range(0x40, 0xFF)),
}
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
SAVE = "Save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)."


class FileError(ValueError):
    """A file cannot be read as rows; the message says why, where, and what to do."""


def read(
    file: BinaryIO,
    name: str,
    aliases: Mapping[str, str],
    columns: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a file as dictionaries by column; cells without a value are left out.

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
        rows = _parquet(file, name)
    elif suffix in (".csv", ".tsv"):
        rows = _csv(file, name, "\t" if suffix == ".tsv" else ",")
    else:
        rows = _json_lines(file, name)
    chosen = {_plain(theirs): ours for theirs, ours in (columns or {}).items()}
    for row in rows:
        cells = {_plain(key): value for key, value in row.items() if not _is_missing(value)}
        known = {aliases[key]: value for key, value in cells.items() if key in aliases}
        mapped = {chosen[key]: value for key, value in cells.items() if key in chosen}
        own = {k: v for k, v in cells.items() if k not in chosen and k not in aliases}
        yield known | own | mapped


def _plain(column: str) -> str:
    return column.strip().casefold()


def _is_missing(value: Any) -> bool:
    """No value: an empty cell, null, or the NaN that stands for it in a column of numbers."""
    return value is None or value == "" or (isinstance(value, float) and value != value)


def encoding_of(file: BinaryIO, name: str) -> str:
    """UTF-16/32 and UTF-8 by their mark, UTF-8 by its form, else GB18030, Big5 or Windows-1252.

    The whole file is looked at: the first Chinese character may come late.
    """
    start = file.read(4)
    for mark, encoding in BOMS.items():
        if start.startswith(mark):
            return encoding
    file.seek(0)
    found = _not_utf8(file)
    if found is None:
        return "utf-8"
    place, sample = found
    chinese = _chinese(sample)
    if chinese is None and _is_mostly_utf8(sample):
        raise FileError(f"{name}: it is UTF-8 but for byte {place:,}, which is damaged. {SAVE}")
    guess = chinese or _western(sample)
    if guess is None:
        raise FileError(f"{name}: the encoding is not recognised. {SAVE}")
    return guess


def _not_utf8(file: BinaryIO) -> tuple[int, bytes] | None:
    """Where a file stops being UTF-8, and the lines from there on; None where all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    while True:
        block = file.read(BLOCK)
        read += len(block)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # A line break is never a part of a character in any of these encodings.
            line = error.object.rfind(b"\n", 0, error.start) + 1
            sample = (error.object[line:] + file.read(SAMPLE))[:SAMPLE]
            return read - len(error.object) + error.start, sample
        if not block:
            return None


def _is_mostly_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return sum(character > "\x7f" for character in text) - broken > broken


def _chinese(sample: bytes) -> str | None:
    """The encoding in which a sample reads as everyday Chinese."""
    shares = {encoding: _common_share(sample, encoding) for encoding in COMMON}
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] >= 0.7 else None


def _western(sample: bytes) -> str | None:
    """Windows-1252 where accented letters stand alone among plain ones; else what GB18030 can read."""
    high = [byte > 0x7F for byte in b"\0" + sample + b"\0"]
    marked = sum(high)
    alone = sum(
        here and not before and not after
        for before, here, after in zip(high, high[1:], high[2:], strict=False)
    )
    if alone >= 0.7 * marked and _decodes(sample, "cp1252"):
        return "cp1252"
    return "gb18030" if _common_share(sample, "gb18030") > 0.3 else None


def _common_share(sample: bytes, encoding: str) -> float:
    """How much of a sample's non-ASCII text is common Chinese; 0 where it is not that encoding."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    counts = Counter(character for character in text if character > "\x7f")
    punctuation, ideographs, second = COMMON[encoding]
    common = 0
    for character, times in counts.items():
        raw = character.encode(encoding, "ignore")
        if len(raw) == 2 and raw[1] in second and (raw[0] in punctuation or raw[0] in ideographs):
            common += times
    return common / counts.total() if counts else 0.0


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


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


def _csv(file: BinaryIO, name: str, delimiter: str) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(MAX_CELL)
    with _text(file, name) as stream:
        reader = csv.DictReader(stream, delimiter=delimiter)
        try:
            _check_header(reader.fieldnames or [], name)
            for row in reader:
                if None in row:
                    raise FileError(
                        f"{name}, line {reader.line_num}: more cells than columns. "
                        "Put cells that hold a comma in double quotes."
                    )
                yield row
        except csv.Error as error:
            raise FileError(
                f"{name}, line {reader.line_num + 1}: {error}. A cell holds at most {MAX_CELL:,} "
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


def _parquet(file: BinaryIO, name: str) -> Iterator[dict[str, Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=1000):
            yield from _whole_microseconds(batch).to_pylist()
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
