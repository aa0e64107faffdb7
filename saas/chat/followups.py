"""Messages that need the question before them: "and the blue one?" after "Is the red kettle in stock?"."""

from __future__ import annotations

import re

from ml.language import language_of

WORDS, CHARACTERS = 8, 14  # who says more says all of it
# What a message begins with, or holds, that goes on with what was said.
LEADS = re.compile(
    r"(and|or|but|so|also|then|ok(ay)?)?[ ,]*(what about|how about|what if it( i)?s|same for)\b[ ,]*"
    r"|(and|or|also|but)\b[ ,]*"
    r"|(那么?|还有|另外|以及|换成|要是|如果是)[，, ]*",
    re.IGNORECASE,
)
POINTS = re.compile(
    r"\b(it|this one|that one|these|those|they|them)\b|它|这个|那个|这款|那款|这件|那件|这种|那种",
    re.IGNORECASE,
)
ENDS = re.compile(r"[\s?？!！.。~～]+$")
PARTICLE = re.compile(r"呢$")
FILLER = re.compile(r"^(the|a|an)\s+|\s+(ones?|too|then|as well)$|^的|的$", re.IGNORECASE)
# Words of which one stands in another's place: long numbers, colours, sizes, days, countries.
PLACES = (
    *("Canada", "Japan", "Germany", "France", "Italy", "Spain", "Australia", "Singapore", "China"),
    *("India", "Brazil", "Mexico", "Korea", "Malaysia", "Thailand", "Vietnam", "Ireland", "Poland"),
    *("Norway", "Sweden", "Denmark", "Finland", "Netherlands", "Belgium", "Austria", "Switzerland"),
    *("Hong Kong", "Taiwan", "Macau", "New Zealand", "the UK", "the US", "the USA", "Europe"),
    *("加拿大", "日本", "德国", "法国", "意大利", "西班牙", "澳大利亚", "新加坡", "中国", "印度"),
    *("巴西", "墨西哥", "韩国", "马来西亚", "泰国", "越南", "香港", "台湾", "澳门", "新西兰"),
    *(
        "挪威",
        "瑞典",
        "丹麦",
        "芬兰",
        "荷兰",
        "比利时",
        "奥地利",
        "瑞士",
        "俄罗斯",
        "印尼",
        "菲律宾",
    ),
    *("英国", "美国", "欧洲", "国外", "新疆", "西藏", "北京", "上海"),
)
CLASSES = tuple(
    re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")
    for words in (
        r"[A-Za-z]{0,6}-?[0-9]{5,20}",
        r"[Rr]ed|[Bb]lue|[Gg]reen|[Bb]lack|[Ww]hite|[Gg]r[ea]y|[Yy]ellow|[Pp]ink|[Pp]urple|[Bb]rown|"
        r"[Oo]range|[Bb]eige|[Nn]avy|[Ss]ilver|[红蓝绿黑白灰黄粉紫棕橙银米]色",
        r"(?:X{0,3}[SL]|M)码?|[Ss]mall|[Mm]edium|[Ll]arge|[大中小]号|\d{2}码",
        r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|(?:周|星期)[一二三四五六日天末]",
        "|".join(PLACES),
    )
)


def readings(text: str, question: str) -> list[str]:
    """What a message may mean after a question: itself first, and alone where it needs no other."""
    if not question or not _is_short(text):
        return [text]
    lead = LEADS.match(text)
    bare = ENDS.sub("", text[lead.end() if lead else 0 :])
    core = _core(bare)
    if not lead and core == bare and not POINTS.search(text):
        return [text]
    replaced = replace(question, core)
    return list(dict.fromkeys((text, replaced or join(question, core))))


def named(text: str) -> list[str]:
    """The words of each class that a text has, numbers apart: they tell questions from one another."""
    return [" ".join(sorted(set(words.findall(text)))).casefold() for words in CLASSES[1:]]


def replace(question: str, core: str) -> str | None:
    """The question with a word of it replaced by one of the same class; None where there is none."""
    for words in CLASSES:
        new, old = words.search(core), words.search(question)
        if new and old:
            return question[: old.start()] + new.group() + question[old.end() :]
    return None


def join(question: str, core: str) -> str:
    """The question with what was said after it."""
    comma = "，" if language_of(question) == "zh" else ", "
    return f"{ENDS.sub('', question)}{comma}{core}"


def _core(bare: str) -> str:
    found = PARTICLE.sub("", bare)
    while (less := FILLER.sub("", found)) != found:
        found = less
    return found or bare


def _is_short(text: str) -> bool:
    if language_of(text) == "zh":
        return len(text) <= CHARACTERS
    return len(text.split()) <= WORDS
