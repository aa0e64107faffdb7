"""Days in what people write: “yesterday”, “20 November”, “三天前”, “上周五”, “11月20号”."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from ml import numbers

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
DAY = r"[0-9]{1,2}(?:st|nd|rd|th)?"
COUNT = r"(?:[0-9]{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten)"
ENGLISH = re.compile(
    r"\b(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4}"
    rf"|{DAY}(?: of)? {MONTH}\b(?:,? [0-9]{{4}})?|{MONTH} {DAY}\b(?:,? [0-9]{{4}})?"
    rf"|(?:the )?day before yesterday|today|yesterday|tomorrow"
    rf"|{COUNT} (?:day|week|month)s? ago|in {COUNT} (?:day|week)s?"
    rf"|(?:(?:last|next) )?{WEEKDAY})\b",
    re.IGNORECASE,
)
NEAR = {"大前天": -3, "前天": -2, "昨天": -1, "昨日": -1, "昨晚": -1, "今天": 0, "今日": 0}
NEAR |= {"明天": 1, "后天": 2}
NUMBER = r"[0-9零一二两三四五六七八九十]{1,3}"
CHINESE = re.compile(
    rf"(?:(?P<year>[0-9]{{4}}|去|今|明)年)?(?P<month>{NUMBER})月(?P<day>{NUMBER})[日号]?"
    rf"|(?P<near>{'|'.join(NEAR)})"
    rf"|(?P<count>{NUMBER})(?P<unit>天|周|个?星期|个?礼拜)(?P<way>以?前|之前|以?后|之后)"
    r"|(?P<week>上上|上|这|本|下)?个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
)
WEEKS = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1}
WEEKDAYS = {name: place for place, name in enumerate("一二三四五六日")} | {"天": 6}
YEARS = {"去": -1, "今": 0, "明": 1}


def find(text: str, *, today: date, ahead: bool = False) -> date | None:
    """The first day that a text names; `ahead` says that one without a year is rather to come."""
    chinese = CHINESE.search(text)
    if chinese:
        return _chinese(chinese, today, ahead)
    english = ENGLISH.search(text)
    return _english(english.group(), today, ahead) if english else None


def _english(phrase: str, today: date, ahead: bool) -> date | None:
    import dateparser

    noon = datetime.combine(today, time(12))
    found = dateparser.parse(
        phrase,
        languages=["en"],
        settings={
            "RELATIVE_BASE": noon,
            "PREFER_DATES_FROM": "future" if ahead else "past",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    return found.date() if found else None


def _chinese(found: re.Match[str], today: date, ahead: bool) -> date | None:
    part = found.groupdict()
    if part["near"]:
        return today + timedelta(days=NEAR[part["near"]])
    if part["count"]:
        days = _number(part["count"]) * (1 if part["unit"] == "天" else 7)
        return today + timedelta(days=days if part["way"][-1] == "后" else -days)
    if part["weekday"]:
        return _weekday(part["week"], WEEKDAYS[part["weekday"]], today, ahead)
    return _of_year(part["year"], _number(part["month"]), _number(part["day"]), today, ahead)


def _weekday(week: str | None, weekday: int, today: date, ahead: bool) -> date:
    monday = today - timedelta(days=today.weekday())
    if week:
        return monday + timedelta(weeks=WEEKS[week], days=weekday)
    found = monday + timedelta(days=weekday)
    if ahead:
        return found if found >= today else found + timedelta(weeks=1)
    return found if found <= today else found - timedelta(weeks=1)


def _of_year(year: str | None, month: int, day: int, today: date, ahead: bool) -> date | None:
    """Without a year the nearest one on that side of today."""
    try:
        if year:
            return date(int(year) if year.isdigit() else today.year + YEARS[year], month, day)
        found = date(today.year, month, day)
        if found > today and not ahead:
            return date(today.year - 1, month, day)
        if found < today and ahead:
            return date(today.year + 1, month, day)
    except ValueError:
        return None
    return found


def _number(written: str) -> int:
    """0 where it is none."""
    return int(written) if written.isdigit() else int(numbers.chinese(written) or 0)
