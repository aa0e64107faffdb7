"""The pages of a tenant's chat widgets: new ones, how each looks and behaves, when people are there."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from pydantic import ValidationError

from saas import keys as key_forms
from saas import rows
from saas.chat import hours, policy, widgets
from saas.portal import frame, languages, widget_form, widget_words
from saas.portal.widget_form import Given
from tenants import keys
from tenants.models import ApiKey


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
    language = languages.of(request)
    fields = request.POST.dict() if wrong else widget_form.fields(key, language=language)
    saved = request.method == "POST" and not wrong and not secret
    shown: dict[str, Any] = {
        "key": key,
        "fields": fields,
        "wrong": wrong,
        "secret": secret,
        "saved": saved,
    }
    shown["hours"], shown["zones"] = _hours_shown(fields), sorted(available_timezones())
    return _page(request, "widget", shown, 400 if wrong else 200)


def _hours_shown(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of both hours, by whose they are, under the same names."""
    names = ("hours", "timezone", "away_en", "away_zh")
    return {
        whose: {"prefix": prefix} | {name: fields.get(f"{prefix}{name}", "") for name in names}
        for whose, prefix in widget_form.WHOSE.items()
    }


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
            given | {"origins": widget_form.lines(request.POST.get("origins", ""))}
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
        look = widgets.Look.model_validate(widget_form.look_of(given))
    except ValidationError as error:
        wrong |= _wrong(error)
    now = policy.get()
    try:
        general, own = _hours(given, now)
    except ValidationError as error:
        wrong["hours"] = rows.explain(error)[0]["message"]
    except ValueError as error:
        wrong["hours"] = str(error)
    try:
        origins = widget_form.lines(given.get("origins", ""))
        form = key_forms.KeyIn.model_validate({"name": key.name, "kind": "pk", "origins": origins})
    except ValidationError as error:
        wrong |= _wrong(error)
    if not wrong and not form.origins:
        wrong["origins"] = "A page that shows the widget must be named."
    if not wrong:
        widgets.put(key.id, look.model_copy(update={"hours": own}), actor=actor)
        if general != now:
            policy.put(general, actor=actor)
        keys.allow(key, form.origins, actor=actor)
    return wrong


def _hours(given: Given, now: policy.Policy) -> tuple[policy.Policy, hours.Hours | None]:
    """The tenant's, and the widget's own where it has any. Raises ValueError."""
    if given.get("whose") == "own":
        return now, hours.Hours.model_validate(widget_form.hours_of(given, "own"))
    return now.model_validate(now.model_dump() | widget_form.hours_of(given, "tenant")), None


def _wrong(error: ValidationError) -> dict[str, str]:
    """By the form's field: `rules.0.says` is what the rule is about."""
    found = {}
    for row in rows.explain(error, whole="name"):
        field = row["field"].split(".")[0]
        found["rule" if field == "rules" else field] = row["message"]
    return found
