"""What happens to every request: a log line, a size limit, a content security policy."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from saas import errors

Handler = Callable[[HttpRequest], HttpResponseBase]
log = structlog.get_logger(__name__)
QUIET = {"/healthz", "/readyz"}
POLICY = (
    "default-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# The interactive documentation configures itself inline.
DOCS_POLICY = POLICY + "; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
LENGTH = re.compile(r"^[0-9]{1,18}$")
REQUEST_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")


def request_log(handle: Handler) -> Handler:
    """One line a request, with an id that also goes back to the caller. No bodies, no queries."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.match(given) else str(uuid.uuid4())
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        try:
            response = handle(request)
        finally:
            took = (time.perf_counter() - started) * 1000
            structlog.contextvars.unbind_contextvars("request_id")
        response["X-Request-ID"] = request_id
        if request.path not in QUIET:
            log.info(
                "request",
                method=request.method,
                path=request.path[:200],
                status=response.status_code,
                ms=round(took, 1),
                request_id=request_id,
            )
        return response

    return middleware


def body_limit(handle: Handler) -> Handler:
    """Refuse a body by its announced length, before it is read."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        refused = refuse_body(
            length=request.META.get("CONTENT_LENGTH") or None,
            chunked="HTTP_TRANSFER_ENCODING" in request.META,
            content_type=request.content_type or "",
        )
        return refused or handle(request)

    return middleware


def refuse_body(*, length: str | None, chunked: bool, content_type: str) -> JsonResponse | None:
    """The answer to a body that is not taken, by its announcement; None for one that is."""
    if length is None and chunked:
        return errors.respond(
            411, "length_required", "Send the body at once, with a Content-Length, not in chunks."
        )
    if not LENGTH.match(length or "0"):
        return errors.respond(400, "invalid", "Content-Length must be a whole number.")
    upload = content_type.lower().startswith("multipart/")
    limit, size = settings.UPLOAD_LIMIT if upload else settings.BODY_LIMIT, int(length or "0")
    if size > limit:
        return errors.respond(
            413,
            "body_too_large",
            f"The body has {size:,} bytes; at most {limit:,} are taken. Send it in parts.",
        )
    return None


def content_security(handle: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = handle(request)
        docs = request.path == "/docs"
        response.setdefault("Content-Security-Policy", DOCS_POLICY if docs else POLICY)
        return response

    return middleware
