"""ASGI entry of the web server."""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")
# A call's products of matrices are small: spread over threads, those wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
django = get_asgi_application()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from saas import engine  # noqa: E402
from saas.middleware import refuse_body  # noqa: E402

# Every call has a thread of its own here, with a connection that no later call would find again.
connections["default"].settings_dict["CONN_MAX_AGE"] = 0


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Django behind the limits of bodies: under ASGI it reads a body whole before its middleware."""
    if scope["type"] != "http":
        await django(scope, receive, send)
        return
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    refused = refuse_body(
        length=headers.get(b"content-length"),
        chunked=b"transfer-encoding" in headers,
        content_type=headers.get(b"content-type", ""),
    )
    if refused is None:
        await django(scope, _bounded(receive), send)
        return
    answer = [(name.lower().encode(), value.encode()) for name, value in refused.items()]
    await send({"type": "http.response.start", "status": refused.status_code, "headers": answer})
    await send({"type": "http.response.body", "body": refused.content})


def _bounded(receive: Receive) -> Receive:
    """Hang up on a body that goes on past every limit, whatever was announced."""
    taken = 0

    async def receive_bounded() -> dict[str, Any]:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body") or b"")
        return message if taken <= settings.UPLOAD_LIMIT else {"type": "http.disconnect"}

    return receive_bounded


engine.warm_up()
