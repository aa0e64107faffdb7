"""The figures of a tenant's conversations: how fast people are there, and what the bot resolves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date

from saas.chat import outcomes
from saas.chat.outcomes import Outcomes
from saas.portal import frame, permissions, words
from saas.training import charts

DAYS = 7
EARLIEST = date(2000, 1, 1)
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
WAITS = ("seconds_to_person", "seconds_to_reply", "seconds_to_end")
LINES = {"conversations": "main", "handed_off": "other", "resolved_by_bot": "ideal"}
MOST_DAYS, DOTTED, TICKS = 92, 31, 6


@dataclass(frozen=True, slots=True)
class Days(charts.Axis):
    """Days since the first one."""

    first: date = EARLIEST

    def write(self, value: float) -> str:
        return f"{self.first + timedelta(days=value):%m-%d}"


@frame.page("metrics.read")
def page(request: HttpRequest) -> HttpResponse:
    """The figures of a range of days; the last seven where none is asked for."""
    said = words.of(request)["metrics"]
    first, last = _days(request)
    today = timezone.now().date()
    shown: dict[str, Any] = {
        "first": first,
        "last": last,
        "spans": [
            (text, today - timedelta(days=int(days) - 1), today)
            for days, text in said["spans"].items()
        ],
    }
    if first > last:
        return render(request, "portal/metrics.html", shown | {"wrong": said["wrong"]}, status=400)
    shown["figures"] = _figures(outcomes.count(first, last), said)
    shown |= _people(request, first, last) | _curve(first, last, said)
    return render(request, "portal/metrics.html", shown)


def _days(request: HttpRequest) -> tuple[date, date]:
    today = timezone.now().date()
    last = _day(request.GET.get("last", "")) or today
    return _day(request.GET.get("first", "")) or last - timedelta(days=DAYS - 1), last


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:  # a day that no calendar has
        return None
    return max(day, EARLIEST) if day else None


def _figures(found: Outcomes, said: dict[str, Any]) -> list[dict[str, str]]:
    judged = found.helpful + found.unhelpful
    values = {
        "conversations": (str(found.conversations), ""),
        "resolved_by_bot": _share(found.resolved_by_bot, found.over, said),
        "handed_off": _share(found.handed_off, found.conversations, said),
        "csat": (
            "" if found.csat is None else f"{found.csat:.1f}",
            said["ratings"].format(count=found.ratings) if found.ratings else "",
        ),
        "helpful": _share(found.helpful, judged, said),
    } | {name: (_wait(getattr(found, name), said), "") for name in WAITS}
    return [
        {"title": title, "about": about, "value": values[name][0], "of": values[name][1]}
        for name, (title, about) in said["figures"].items()
    ]


def _people(request: HttpRequest, first: date, last: date) -> dict[str, Any]:
    """A table of everybody who answered; for who may not see that, of themselves."""
    said, member = words.of(request)["metrics"], frame.member_of(request)
    found = outcomes.by_agent(first, last)
    everybody = permissions.may(member.role, "metrics.people")
    if not everybody:
        found = [one for one in found if one.agent == member.agent]
    titles = [said["figures"][name][0] for name in (*WAITS, "csat")]
    rows = [
        (
            *(one.agent, str(one.handed_off)),
            *(_wait(getattr(one, name), said) or "–" for name in WAITS),
            f"{one.csat:.1f} ({said['ratings'].format(count=one.ratings)})" if one.csat else "–",
        )
        for one in found
    ]
    about = said["people_about" if everybody else "own_about"]
    return {"people": rows, "columns": (said["person"], said["had"], *titles), "about": about}


def _curve(first: date, last: date, said: dict[str, Any]) -> dict[str, Any]:
    """Three lines over the days, and their table."""
    length, text = (last - first).days + 1, said["curve"]
    if not 2 <= length <= MOST_DAYS:
        return {"no_curve": text["too_long"].format(most=MOST_DAYS)}
    found = outcomes.by_day(first, last)
    step = -(-(length - 1) // TICKS)
    days = Days("", 0, length - 1, tuple(range(0, length, step)), percent=False, first=first)
    lines = [
        charts.Line(
            [(number, getattr(day, name)) for number, day in enumerate(found)],
            style=style,
            dots=length <= DOTTED,
        )
        for name, style in LINES.items()
    ]
    titles = [text["lines"][name] for name in LINES]
    chart = charts.draw(
        text["title"],
        text["says"].format(first=first, last=last),
        x=days,
        y=charts.counts("", max(day.conversations for day in found)),
        lines=lines,
        columns=(text["day"], *titles),
        rows=[(str(day.day), *(str(getattr(day, name)) for name in LINES)) for day in found],
    )
    return {"curve": chart, "legend": list(zip(LINES.values(), titles, strict=True))}


def _share(part: int, whole: int, said: dict[str, Any]) -> tuple[str, str]:
    if not whole:
        return "", ""
    return f"{part / whole:.0%}", said["of"].format(part=part, whole=whole)


def _wait(seconds: float | None, said: dict[str, Any]) -> str:
    """In the largest unit that is full, to one place; "" where nobody waited."""
    if seconds is None:
        return ""
    name, size = next(((n, s) for n, s in UNITS if seconds >= s), UNITS[-1])
    return f"{seconds / size:.1f}".removesuffix(".0") + f" {said['units'][name]}"
