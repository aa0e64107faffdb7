"""Signs in a text's own words that it wants of a bot what a bot must not do, Chinese and English.

They stand in the file beside this one: [kind weight name], and under it regular expressions. A sign
that says it by itself weighs 1; others count together. They were written by hand, from what such
texts are known to try, and weighed so that no everyday message reaches 1.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEAD = re.compile(r"\[(\w+) ([\d.]+) (.+)\]")
# Characters that show nothing, by which words are hidden from a reader or cut apart.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufe00-\ufe0f]")
TAGS = re.compile("[\U000e0020-\U000e007e]")  # unseen twins of ASCII
FLAGS = (
    3  # of an unseen text at most: some emoji end in so many such characters of a country's code
)


@dataclass(frozen=True, slots=True)
class Sign:
    """`kind` is one of `ml.safety.KINDS`, or "document" for what only documents are read for."""

    kind: str
    name: str
    weight: float
    pattern: re.Pattern[str]


def plain(text: str) -> str:
    """The text as a reader would say it: hidden letters shown, unseen marks gone, one width."""
    shown = TAGS.sub(lambda found: chr(ord(found.group()) - 0xE0000), text)
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFKC", shown)).split())


def found(text: str) -> Iterator[Sign]:
    """Each sign that a text has, once; the text is taken as `plain` makes it."""
    return (sign for sign in SIGNS if sign.pattern.search(text))


def hides(text: str) -> bool:
    """Whether letters are written so that nobody sees them."""
    return len(TAGS.findall(text)) > FLAGS


def _load() -> Iterator[Sign]:
    """Lines before the first head name parts of patterns: `@name@` stands for them."""
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    parts: dict[str, str] = {}
    patterns: dict[tuple[str, str, str], list[str]] = {}
    section: list[str] | None = None
    for line in filter(None, lines):
        if head := HEAD.fullmatch(line):
            kind, weight, name = head.groups()
            section = patterns.setdefault((kind, weight, name), [])
        elif section is None:
            name, _, part = line.partition(" = ")
            parts[f"@{name}@"] = part
        else:
            section.append(re.sub("@[a-z]+@", lambda mark: parts[mark.group()], line))
    for (kind, weight, name), written in patterns.items():
        yield Sign(kind, name, float(weight), re.compile("|".join(written), re.IGNORECASE))


SIGNS = tuple(_load())
