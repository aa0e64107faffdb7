"""The ASGI entry: a body that is not taken is refused before it is read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest


@pytest.fixture
def call(monkeypatch: Any) -> Any:
    from saas import engine

    monkeypatch.setattr(engine, "warm_up", lambda: None)
    from saas.asgi import application

    def call(*chunks: bytes, **headers: str) -> tuple[list[dict[str, Any]], int]:
        """What the application sends, and how many chunks of the body it asked for."""
        sent: list[dict[str, Any]] = []
        left = list(chunks)
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/examples",
            "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        }

        async def receive() -> dict[str, Any]:
            body = left.pop(0) if left else b""
            return {"type": "http.request", "body": body, "more_body": bool(left)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(application(scope, receive, send))
        return sent, len(chunks) - len(left)

    return call


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content_length": "99999999"}, 413, "body_too_large"),
        ({"transfer_encoding": "chunked"}, 411, "length_required"),
        ({"content_length": "ten"}, 400, "invalid"),
    ],
)
def test_a_body_is_refused_by_its_announcement(headers: Any, status: int, code: str, call) -> None:
    (start, body), read = call(b"[]", **headers)

    assert (start["status"], read) == (status, 0)
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert json.loads(body["body"])["code"] == code


def test_a_body_past_every_limit_is_hung_up_on(call, settings) -> None:
    settings.UPLOAD_LIMIT = 3_000

    sent, read = call(*[b"x" * 1_000] * 100)

    assert sent == []
    assert read == 4
