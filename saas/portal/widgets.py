"""The pages of a tenant's chat widgets: new ones, how each looks and behaves, when people are there."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from pydantic import ValidationError

from saas import keys as key_forms
from saas import rows
from saas.chat import policy, widgets
from saas.portal import frame, languages, widget_words
from tenants import keys
from tenants.models import ApiKey

LANGUAGES = ("en", "zh")
Given = Mapping[str, str]


@frame.page("widget.manage", methods=("GET", "POST"))
def listed(request: HttpRequest) -> HttpResponse:
    """All widgets; and a new one, whose line for the page is shown once, as its key is."""
    made, wrong = "", dict[str, str]()
    if request.method == "POST":
        made, wrong = _make(request)
    found = widgets.keys().order_by("-created_at")
    shown = {"widgets": found, "made": made, "wrong": wrong, "given": request.POST}
    return _page(request, "widgets", shown, 400 if wrong else 200)


@frame.page("widget.manage", methods=("GET", "POST"))
def one(request: HttpRequest, id: UUID) -> HttpResponse:
    """What one widget is set to, beside what that looks like."""
    key, wrong, secret = widgets.keys().get(id=id), {}, ""
    if "secret" in request.POST:
        secret = widgets.new_secret(key.id, actor=_actor(request))
    elif request.method == "POST":
        wrong = _save(key, request.POST, actor=_actor(request))
    fields = request.POST.dict() if wrong else _fields(key)
    saved = request.method == "POST" and not wrong and not secret
    shown = {"key": key, "fields": fields, "wrong": wrong, "secret": secret, "saved": saved}
    return _page(request, "widget", shown, 400 if wrong else 200)


def _page(request: HttpRequest, name: str, shown: dict[str, Any], status: int) -> HttpResponse:
    shown["said"] = widget_words.TEXT[languages.of(request)]
    shown["site"] = f"{request.scheme}://{request.get_host()}"
    return render(request, f"portal/{name}.html", shown, status=status)


def _actor(request: HttpRequest) -> str:
    return frame.member_of(request).user.email


def _make(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """The new key; or what is wrong."""
    given = {"name": request.POST.get("name", ""), "kind": "pk"}
    try:
        form = key_forms.KeyIn.model_validate(
            given | {"origins": _lines(request.POST.get("origins", ""))}
        )
        _, secret = keys.issue(
            name=form.name, kind="pk", origins=form.origins, actor=_actor(request)
        )
    except ValidationError as error:
        return "", _wrong(error)
    except DjangoValidationError as error:
        return "", {field: " ".join(said) for field, said in error.message_dict.items()}
    return secret, {}


def _save(key: ApiKey, given: Given, *, actor: str) -> dict[str, str]:
    """Keep all of it, or none: then what is wrong, by the field."""
    wrong: dict[str, str] = {}
    try:
        look = widgets.Look.model_validate(_look(given))
    except ValidationError as error:
        wrong |= _wrong(error)
    try:
        now = policy.get()
        open_ = policy.Policy.model_validate(now.model_dump() | _hours(given))
    except (ValidationError, ValueError) as error:
        wrong["hours"] = str(error) if not isinstance(error, ValidationError) else _first(error)
    try:
        named = {"name": key.name, "kind": "pk", "origins": _lines(given.get("origins", ""))}
        form = key_forms.KeyIn.model_validate(named)
    except ValidationError as error:
        wrong |= _wrong(error)
    if not wrong and not form.origins:
        wrong["origins"] = "A page that shows the widget must be named."
    if not wrong:
        widgets.put(key.id, look, actor=actor)
        if open_ != now:
            policy.put(open_, actor=actor)
        keys.allow(key, form.origins, actor=actor)
    return wrong


def _fields(key: ApiKey) -> dict[str, Any]:
    """What is set, as the form has it."""
    look, hours = widgets.get(key.id), policy.get()
    rule = look.rules[0] if look.rules else None
    fields: dict[str, Any] = look.model_dump(include={"colour", "side", "theme", "messages_a_day"})
    fields |= {name: "on" if getattr(look, name) else "" for name in ("sound", "uploads")}
    fields |= {f"ask_{name}": "on" if name in look.asks else "" for name in ("name", "email")}
    for language in LANGUAGES:
        fields[f"title_{language}"] = getattr(look.title, language)
        fields[f"greeting_{language}"] = getattr(look.greeting, language)
        prompts = [getattr(prompt, language) for prompt in look.prompts]
        fields[f"prompts_{language}"] = "\n".join(prompts)
        fields[f"rule_{language}"] = getattr(rule.says, language) if rule else ""
    fields |= {"rule_after": rule.after if rule else 10, "rule_path": rule.path if rule else "/"}
    fields["origins"], fields["timezone"] = "\n".join(key.origins), hours.timezone
    fields["hours"] = "\n".join(
        f"{day} {opening.start:%H:%M}-{opening.end:%H:%M}"
        for day in policy.DAYS
        for opening in hours.hours.get(day, [])  # type: ignore[call-overload]
    )
    return fields


def _look(given: Given) -> dict[str, Any]:
    def both(name: str) -> dict[str, str]:
        return {language: given.get(f"{name}_{language}", "") for language in LANGUAGES}

    look: dict[str, Any] = {name: given.get(name, "") for name in ("colour", "side", "theme")}
    look |= {name: bool(given.get(name)) for name in ("sound", "uploads")}
    look |= {name: both(name) for name in ("title", "greeting")}
    look["asks"] = [name for name in ("name", "email") if given.get(f"ask_{name}")]
    look["messages_a_day"] = given.get("messages_a_day") or None
    lines = zip_longest(*(_lines(given.get(f"prompts_{one}", "")) for one in LANGUAGES))
    look["prompts"] = [{"en": en or "", "zh": zh or ""} for en, zh in lines]
    if any(both("rule").values()):
        after, path = given.get("rule_after") or 0, given.get("rule_path") or "/"
        look["rules"] = [{"after": after, "path": path, "says": both("rule")}]
    return look


def _hours(given: Given) -> dict[str, Any]:
    """Lines such as `mon 09:00-18:00`. Raises ValueError for any other."""
    hours: dict[str, list[dict[str, str]]] = {}
    for line in _lines(given.get("hours", "")):
        day, _, times = line.lower().partition(" ")
        start, dash, end = times.replace("–", "-").partition("-")
        if not dash or day not in policy.DAYS:
            raise ValueError(f"“{line[:40]}”: mon 09:00-18:00")
        hours.setdefault(day, []).append({"start": start.strip(), "end": end.strip()})
    return {"hours": hours, "timezone": given.get("timezone", "")}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _wrong(error: ValidationError) -> dict[str, str]:
    """By the form's field: `rules.0.says` is what the rule is about."""
    found = {}
    for row in rows.explain(error, whole="name"):
        field = row["field"].split(".")[0]
        found["rule" if field == "rules" else field] = row["message"]
    return found


def _first(error: ValidationError) -> str:
    return rows.explain(error)[0]["message"]
