"""Errors as RFC 9457 problem documents with a stable `code`; nothing else leaves the server."""

from __future__ import annotations

import math
from typing import Any

import structlog
from django.core.exceptions import (
    DisallowedHost,
    ObjectDoesNotExist,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
BROKEN = "It has been logged. Try again, or write to support with the X-Request-ID of this answer."
TITLES = {
    400: "The request is not valid",
    401: "The key is missing or not valid",
    402: "The quota is used up",
    403: "The key may not do this",
    404: "Not found",
    405: "The method does not exist here",
    406: "No such format",
    411: "The length of the body is missing",
    409: "Conflict with what is there",
    413: "The body is too large",
    415: "The media type is not supported",
    429: "Too many requests",
    500: "Something broke on our side",
    503: "Busy or not ready",
}


class Problem(exceptions.APIException):
    """An error of the product with its status and stable code."""

    status_code: int = status.HTTP_400_BAD_REQUEST
    default_code = "invalid"

    def __init__(self, detail: str, *, code: str | None = None, wait: float | None = None) -> None:
        super().__init__(detail, code or self.default_code)
        self.wait = wait


class Conflict(Problem):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class QuotaExceeded(Problem):
    status_code = status.HTTP_402_PAYMENT_REQUIRED
    default_code = "quota_exceeded"


class BodyTooLarge(Problem):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "body_too_large"


class Unavailable(Problem):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"


def problem(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every exception of a view becomes a problem document."""
    error = _translate(error)
    # Problems are JSON, whatever the view would have answered with.
    context["request"].accepted_renderer = JSONRenderer()
    context["request"].accepted_media_type = MEDIA_TYPE
    response = exception_handler(error, context)
    if response is None:
        log.error("request failed", exc_info=error)
        return Response(document(500, "internal_error", BROKEN), 500, content_type=MEDIA_TYPE)
    body = _body(error, response)
    body["detail"] = _advice(error, context["view"]) or body.get("detail", "")
    wait = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(math.ceil(wait))
    response.data = body
    response.content_type = MEDIA_TYPE
    return response


def code_of(error: Exception) -> str:
    """The stable code of an error that comes when the answer's status is sent already."""
    error = _translate(error)
    if isinstance(error, exceptions.APIException):
        return str(error.get_codes())
    log.error("work failed", exc_info=error)
    return "internal_error"


def _translate(error: Exception) -> Exception:
    """Errors of Django and the database in DRF's words."""
    if isinstance(error, DjangoValidationError):
        return exceptions.ValidationError(
            error.message_dict if hasattr(error, "error_dict") else error.messages
        )
    if isinstance(error, Http404 | ObjectDoesNotExist):
        # The same answer for what is not there and what is another tenant's.
        return exceptions.NotFound("There is no such object. Check the id.")
    if isinstance(error, DjangoPermissionDenied):
        return exceptions.PermissionDenied(str(error) or None)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database unavailable", exc_info=error)
        return Unavailable("The database does not answer. Try again shortly.", wait=5)
    if isinstance(error, IntegrityError):
        log.warning("conflict in the database", exc_info=error)
        return Conflict("Another call changed the same thing meanwhile. Try again.")
    if isinstance(error, RequestDataTooBig):
        return BodyTooLarge("The body is larger than what is taken. Send it in parts.")
    if isinstance(error, SuspiciousOperation):
        log.warning("request refused", reason=str(error)[:300])
        if isinstance(error, DisallowedHost):
            return exceptions.ParseError(
                "The Host header names an address that is not served here."
            )
        return exceptions.ParseError(f"The request could not be read: {str(error)[:200]}")
    return error


def _advice(error: Exception, view: Any) -> str:
    """What to do about DRF's own errors, which only say what is wrong."""
    if isinstance(error, exceptions.NotAuthenticated):
        return "There is no key with this call. Send it as 'Authorization: Bearer fd_sk_…'."
    if isinstance(error, exceptions.NotAcceptable):
        return "Answers are application/json. Send 'Accept: application/json', or no Accept at all."
    if isinstance(error, exceptions.MethodNotAllowed):
        return f"{error.detail} Use {', '.join(view.allowed_methods)}."
    if isinstance(error, exceptions.UnsupportedMediaType):
        taken = " or ".join(parser.media_type for parser in view.parser_classes)
        return f"The body must be {taken}: send it with 'Content-Type: {taken}'."
    return ""


def _body(error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        rows = list(_flatten(error.get_full_details()))
        detail = "; ".join(f"{row['field']}: {row['message']}" for row in rows[:5])
        return document(response.status_code, "invalid", detail, errors=rows)
    if isinstance(error, exceptions.APIException):
        code = str(error.get_codes())
        return document(response.status_code, code, str(error.detail))
    return document(response.status_code, "error")


def _flatten(details: Any, path: str = "") -> list[dict[str, str]]:
    """Nested validation errors as rows: which field, what is wrong."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        return [
            {"field": path or "body", "message": str(details["message"]), "code": details["code"]}
        ]
    if isinstance(details, dict):
        pairs = [(f"{path}.{key}" if path else str(key), value) for key, value in details.items()]
    else:
        pairs = [
            (path if _is_leaf(value) else f"{path}[{position}]", value)
            for position, value in enumerate(details)
        ]
    return [row for key, value in pairs for row in _flatten(value, key)]


def _is_leaf(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"message", "code"}


def document(status_code: int, code: str, detail: str = "", **more: Any) -> dict[str, Any]:
    """An RFC 9457 body. `code` is stable; `detail` says what is wrong and what to do."""
    title = TITLES.get(status_code, "Error")
    body = {"type": "about:blank", "title": title, "status": status_code, "code": code}
    return body | ({"detail": detail} if detail else {}) | more


def respond(status_code: int, code: str, detail: str = "") -> JsonResponse:
    """A problem outside of DRF's views."""
    return JsonResponse(
        document(status_code, code, detail), status=status_code, content_type=MEDIA_TYPE
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return respond(404, "not_found", f"There is nothing at {request.path[:200]}.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return respond(400, "invalid", "The request could not be read.")


def server_error(request: HttpRequest) -> JsonResponse:
    return respond(500, "internal_error", BROKEN)
