"""The figures of a tenant's conversations: how fast people are there, and what the bot resolves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date

from saas.chat import outcomes
from saas.chat.outcomes import Outcomes
from saas.portal import frame, words

DAYS = 7
EARLIEST = date(2000, 1, 1)
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
WAITS = ("seconds_to_person", "seconds_to_reply", "seconds_to_end")


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
