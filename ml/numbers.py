"""The numbers that a text names, in digits or in words."""

import re

DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
# Chinese numerals that count something: 一般 and 十分 do not.
COUNTED = re.compile(
    r"([零一二两三四五六七八九十百千万亿]+)(?=分钟|[天日月年元块角时点小周星季度号楼层折倍件个只双台套条本位人次米克斤升毫公厘])"
)
FRACTION = re.compile(r"百分之([零一二两三四五六七八九十百点]+)")


def numbers(text: str) -> set[float]:
    """Each of them once; a percentage is its number."""
    found = set(map(_value, DIGITS.findall(_in_digits(text))))
    for pattern in (COUNTED, FRACTION):
        found |= {float(value) for words in pattern.findall(text) if (value := chinese(words))}
    return found


def _in_digits(text: str) -> str:
    """With English number words written as digits."""
    from text_to_num import alpha2digit

    written: str = alpha2digit(text, "en")
    return written


def chinese(words: str) -> int | float | None:
    """Of Chinese numerals; None where they are no number, as in 万一."""
    import cn2an

    try:
        value: int | float = cn2an.cn2an(words, "smart")
    except ValueError:
        return None
    return value


def _value(digits: str) -> float:
    """Of 1,000 and 1,000.50 and 3.5, also with a decimal comma and in a date or version."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        return float(digits.replace(",", ""))
    if re.fullmatch(r"\d+[.,]\d+", digits):
        return float(digits.replace(",", "."))
    return float(re.sub(r"\D", "", digits))
