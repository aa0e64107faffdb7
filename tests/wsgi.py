"""The product's WSGI entry called in this process, past the care that Django's test client takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory


@contextmanager
def held_open() -> Iterator[None]:
    """The test's transaction outlives a request, as it does with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes


def send(path: str, body: bytes, *, secret: str, **environ: Any) -> Answer:
    """POST a body; without a CONTENT_LENGTH among `environ` its length is not announced."""
    request = RequestFactory().post(path, headers={"Authorization": f"Bearer {secret}"})
    made = {key: value for key, value in request.environ.items() if key != "CONTENT_LENGTH"}
    made |= {"wsgi.input": BytesIO(body), "CONTENT_TYPE": "application/json"} | environ
    begun: list[Any] = []
    content = b"".join(WSGIHandler()(made, lambda *answer: begun.append(answer)))
    status, headers = begun[0]
    return Answer(int(status.split()[0]), dict(headers), content)
