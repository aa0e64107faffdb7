"""What the API offers, read from the URL configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def calls() -> list[tuple[str, str, type[Any]]]:
    """Method, route and view class of everything under /v1."""
    v1 = next(entry for entry in get_resolver().url_patterns if str(entry.pattern) == "v1/")
    return [
        (method, route, view)
        for route, view in _views(v1)
        for method in METHODS
        if hasattr(view, method.lower())
    ]


def filled(route: str, ids: Callable[[str], str]) -> str:
    """A route with ids in it; `ids` is asked by the names of the folders before each."""
    folders: list[str] = []
    parts: list[str] = []
    for part in route.split("/"):
        if part[0] in "<{":
            parts.append(ids("/".join(folders)))
        else:
            folders.append(part)
            parts.append(part)
    return "/".join(parts)


def _views(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, type[Any]]]:
    for entry in resolver.url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route, entry.callback.cls
        else:
            yield from _views(entry, route)
