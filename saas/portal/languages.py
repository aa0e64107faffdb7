"""The language of the portal's pages, and their light or dark look: a cookie, else the browser's wish."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

COOKIE, THEME = "language", "theme"
LANGUAGES = {"en": "en", "zh": "zh-hans"}  # ours: Django's, which allauth's pages are written in
THEMES = ("auto", "light", "dark")
PAGES = re.compile(r"^/(t|account)/")
YEAR = 365 * 24 * 3600

Handler = Callable[[HttpRequest], HttpResponseBase]


def middleware(handle: Handler) -> Handler:
    """The API and other pages are left alone: what they say does not depend on cookies."""

    def in_language(request: HttpRequest) -> HttpResponseBase:
        if not PAGES.match(request.path):
            return handle(request)
        language = of(request)
        request.language = language  # type: ignore[attr-defined]
        with translation.override(LANGUAGES[language]):
            response = handle(request)
        response.setdefault("Content-Language", LANGUAGES[language])
        return response

    return in_language


def of(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return "zh" if translation.get_language_from_request(request).startswith("zh") else "en"


def theme(request: HttpRequest) -> str:
    chosen = request.COOKIES.get(THEME, "")
    return chosen if chosen in THEMES else "auto"
