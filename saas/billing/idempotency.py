"""Idempotency-Key: the same call again gets the first answer again and is not billed again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from saas.billing.models import Answer
from saas.errors import Conflict, Problem

FORM = re.compile(r"^[\x21-\x7e]{1,255}$")


def key_of(request: Request) -> str | None:
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not FORM.match(key):
        raise Problem(
            "Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.",
            code="invalid_idempotency_key",
        )
    return key


def fingerprint_of(request: Request) -> str:
    """What makes two calls the same: method, path with query, and body."""
    parts = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(parts + request._request.body).hexdigest()


def find(key: str, fingerprint: str) -> Response | None:
    """The answer given before, if any; raises Conflict where the key was used for another call."""
    answer = Answer.objects.filter(key=key).first()
    return _replay(answer, fingerprint) if answer else None


def claim(key: str, fingerprint: str) -> Response | None:
    """Take the key in this transaction, or return the answer of the call that had it first.

    A parallel call with the same key waits here until the first one commits or gives up.
    """
    answer, created = Answer.objects.get_or_create(key=key, defaults={"fingerprint": fingerprint})
    return None if created else _replay(answer, fingerprint)


def keep(key: str, response: Response) -> None:
    """Store the answer with the work it answers for."""
    body = json.loads(json.dumps(response.data, default=str))
    Answer.objects.filter(key=key).update(status=response.status_code, body=body)


def erase(conversation_ids: Sequence[str]) -> None:
    """Drop answers that were given in these conversations."""
    Answer.objects.filter(body__conversation_id__in=conversation_ids).delete()


def forget() -> int:
    """Drop the current tenant's answers that are older than the promised time."""
    horizon = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    deleted, _ = Answer.objects.filter(at__lt=horizon).delete()
    return deleted


def _replay(answer: Answer, fingerprint: str) -> Response:
    if answer.fingerprint != fingerprint:
        raise Conflict(
            "This Idempotency-Key was used for another request. Use a new key for a new request.",
            code="idempotency_conflict",
        )
    body: Any = answer.body
    return Response(body, status=answer.status, headers={"Idempotent-Replayed": "true"})
