"""What a widget's form holds, and what is read from it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from saas.chat import hours, policy, widgets
from saas.chat.smalltalk import NAMES
from tenants.models import ApiKey

LANGUAGES = ("en", "zh")
WHOSE = {"tenant": "", "own": "own_"}  # hours, and what their fields' names begin with
DAYS = {name.casefold(): day for names in NAMES.values() for day, name in names.items()}
Given = Mapping[str, str]


def fields(key: ApiKey, *, language: str) -> dict[str, Any]:
    """What is set, as the form has it."""
    look, general = widgets.get(key.id), policy.get()
    rule = look.rules[0] if look.rules else None
    found: dict[str, Any] = look.model_dump(include={"colour", "side", "theme", "messages_a_day"})
    found |= {name: "on" if getattr(look, name) else "" for name in ("sound", "uploads")}
    found |= {f"ask_{name}": "on" if name in look.asks else "" for name in ("name", "email")}
    for one in LANGUAGES:
        found[f"title_{one}"] = getattr(look.title, one)
        found[f"greeting_{one}"] = getattr(look.greeting, one)
        found[f"prompts_{one}"] = "\n".join(getattr(prompt, one) for prompt in look.prompts)
        found[f"rule_{one}"] = getattr(rule.says, one) if rule else ""
    found |= {"rule_after": rule.after if rule else 10, "rule_path": rule.path if rule else "/"}
    found["origins"] = "\n".join(key.origins)
    found["whose"] = "own" if look.hours else "tenant"
    found |= _hours_fields("", general, language)
    return found | _hours_fields("own_", look.hours or general, language)


def _hours_fields(prefix: str, known: hours.Hours, language: str) -> dict[str, str]:
    lines = "\n".join(
        f"{NAMES[language][day]} {opening.start:%H:%M}-{opening.end:%H:%M}"
        for day in hours.DAYS
        for opening in known.hours.get(day, [])  # type: ignore[call-overload]
    )
    found = {"hours": lines, "timezone": known.timezone}
    found |= {f"away_{one}": getattr(known.away, one) for one in LANGUAGES}
    return {prefix + name: value for name, value in found.items()}


def look_of(given: Given) -> dict[str, Any]:
    """All but the hours."""

    def both(name: str) -> dict[str, str]:
        return {language: given.get(f"{name}_{language}", "") for language in LANGUAGES}

    look: dict[str, Any] = {name: given.get(name, "") for name in ("colour", "side", "theme")}
    look |= {name: bool(given.get(name)) for name in ("sound", "uploads")}
    look |= {name: both(name) for name in ("title", "greeting")}
    look["asks"] = [name for name in ("name", "email") if given.get(f"ask_{name}")]
    look["messages_a_day"] = given.get("messages_a_day") or None
    written = zip_longest(*(lines(given.get(f"prompts_{one}", "")) for one in LANGUAGES))
    look["prompts"] = [{"en": en or "", "zh": zh or ""} for en, zh in written]
    if any(both("rule").values()):
        after, path = given.get("rule_after") or 0, given.get("rule_path") or "/"
        look["rules"] = [{"after": after, "path": path, "says": both("rule")}]
    return look


def hours_of(given: Given, whose: str) -> dict[str, Any]:
    """Lines such as `mon-fri 09:00-18:00`. Raises ValueError for any other."""
    prefix = WHOSE[whose]
    found: dict[str, list[dict[str, str]]] = {}
    for line in lines(given.get(f"{prefix}hours", "")):
        days, _, times = line.replace("–", "-").partition(" ")
        start, dash, end = times.partition("-")
        if not dash:
            raise ValueError(_unread(line))
        for day in _days(days, line):
            found.setdefault(day, []).append({"start": start.strip(), "end": end.strip()})
    away = {one: given.get(f"{prefix}away_{one}", "") for one in LANGUAGES}
    return {"hours": found, "timezone": given.get(f"{prefix}timezone", ""), "away": away}


def _days(written: str, line: str) -> tuple[str, ...]:
    """`mon`, `周一`, or from one to another."""
    named = [DAYS.get(name) for name in written.casefold().split("-")]
    first, last = named[0], named[-1]
    if first is None or last is None or len(named) > 2:
        raise ValueError(_unread(line))
    span = hours.DAYS[hours.DAYS.index(first) : hours.DAYS.index(last) + 1]
    if not span:
        raise ValueError(_unread(line))
    return span


def _unread(line: str) -> str:
    return f"“{line[:40]}”: mon 09:00-18:00"


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
