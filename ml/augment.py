"""More examples out of those there are: the same messages as hurried customers type them.

English typos are of the kinds that Damerau (1964) counted: a letter left out, put in, changed or
swapped with the next, the wrong one being its neighbour on the keyboard. Chinese messages are typed
by sound, so their typos are characters of the same sound, or of nearly the same shape.
"""

import functools
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from ml.language import HAN
from ml.types import Example

Kind = Literal["typos", "homophones", "paraphrase"]
Paraphrase = Callable[[str, int], list[str]]

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
WORD = re.compile(r"[A-Za-z]{4,}")
EXACT = re.compile(r"[\d@/_]|\w\.\w")  # in an address, an order's number, a product's name
EVERY = 10  # one typo for so many characters, at least one
LETTERS = 30  # one typo for so many letters, at least one
PARAPHRASES = 3
ASKED = 500  # texts that are paraphrased: each takes a language model a second or more

# Characters that are taken for each other by their shape; every group is of one's own reading.
ALIKE = (
    "己已巳 未末 土士 大太犬 天夫 人入八 日曰目 干千于 戊戌戍 今令 贝见 儿几 刀力 王玉主 口囗 石右 "
    "白百自 免兔 鸟乌 拨拔 历厉 辨辩 侯候 账帐 坐座 折拆 提题 块快 钱线 订钉 请清情 退腿"
)


def typos(text: str, rng: random.Random) -> str:
    """The text with a typo in some of its English words of four letters or more.

    Numbers, addresses and short words stay: a typo there would say something else. A text without
    such a word is returned as it is.
    """
    words = list(_words(text))
    letters = sum(len(word.group()) for word in words)
    chosen = rng.sample(words, min(len(words), max(1, letters // LETTERS)))
    for word in sorted(chosen, key=lambda found: -found.start()):
        text = text[: word.start()] + _misspell(word.group(), rng) + text[word.end() :]
    return text


def homophones(text: str, rng: random.Random) -> str:
    """The text with one Chinese character in ten, at least one, of the same sound or a like shape.

    A text without a Chinese character is returned as it is.
    """
    places = [found.start() for found in HAN.finditer(text) if _mistaken_for(found.group())]
    count = max(1, round(len(HAN.findall(text)) / EVERY))
    characters = list(text)
    for place in rng.sample(places, min(len(places), count)):
        characters[place] = rng.choice(_mistaken_for(characters[place]))
    return "".join(characters)


def mistype(text: str, kinds: Iterable[Kind], rng: random.Random) -> str:
    """The text with typing errors of those kinds; it is returned as it is where there is room for none."""
    if "typos" in kinds:
        text = typos(text, rng)
    if "homophones" in kinds:
        text = homophones(text, rng)
    return text


def extend(
    examples: Sequence[Example],
    kinds: Iterable[Kind],
    *,
    seed: int = 0,
    paraphrase: Paraphrase | None = None,
) -> list[Example]:
    """What each kind makes of the examples; texts that come out as they went in are left out.

    `paraphrase` says a text in up to so many other ways (see `saas.training.paraphrase`); of many
    examples it is asked for 500.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable, no secret
    made: list[Example] = []
    for kind in kinds:
        if kind != "paraphrase":
            change = typos if kind == "typos" else homophones
            made += [Example(change(e.text, rng), e.label) for e in examples]
        elif paraphrase:
            for e in rng.sample(examples, min(len(examples), ASKED)):
                made += [Example(text, e.label) for text in paraphrase(e.text, PARAPHRASES)]
    known = {example.text for example in examples}
    return [example for example in dict.fromkeys(made) if example.text not in known]


def _words(text: str) -> Iterator[re.Match[str]]:
    for part in re.finditer(r"\S+", text):
        if not EXACT.search(part.group()):
            yield from WORD.finditer(text, *part.span())


def _misspell(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 2)  # first and last letters are rarely wrong
    before, letter, after = word[:place], word[place], word[place + 1 :]
    match rng.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + letter + letter + after
        case 2:
            return before + after[0] + letter + after[1:]
        case _:
            return before + rng.choice(_neighbours()[letter.lower()]) + after


@functools.cache
def _neighbours() -> dict[str, str]:
    """The keys around each letter of a QWERTY keyboard, whose rows are shifted by half a key."""
    found = {}
    for number, row in enumerate(ROWS):
        for place, letter in enumerate(row):
            beside = row[max(0, place - 1) : place] + row[place + 1 : place + 2]
            above = ROWS[number - 1][place : place + 2] if number else ""
            below = ROWS[number + 1][max(0, place - 1) : place + 1] if number < 2 else ""
            found[letter] = beside + above + below
    return found


def _mistaken_for(character: str) -> str:
    """Other characters that are typed or read in its place."""
    sound = _sound(character)
    same = _by_sound().get(sound, "") if sound else ""
    shapes = "".join(group for group in ALIKE.split() if character in group)
    return (same + shapes).replace(character, "")


@functools.cache
def _by_sound() -> dict[str, str]:
    """Common characters by their sound without tone: level 1 of GB 2312, rows 16 to 55."""
    groups: dict[str, str] = defaultdict(str)
    for row in range(16, 56):
        for cell in range(1, 95):
            # Five cells at the end of row 55 are empty.
            character = bytes([0xA0 + row, 0xA0 + cell]).decode("gb2312", "ignore")
            if character:
                groups[_sound(character)] += character
    return dict(groups)


@functools.cache
def _sound(character: str) -> str:
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(character, style=Style.NORMAL, errors="ignore"))
