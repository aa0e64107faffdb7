"""The encodings that businesses really send files in, recognised by what is in the file."""

from __future__ import annotations

import codecs
from collections import Counter
from typing import BinaryIO

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
SAVE = "Save the file as UTF-8 (in a spreadsheet: “CSV UTF-8”)."


class FileError(ValueError):
    """A file cannot be read as rows; the message says why, where, and what to do."""


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
