"""E-mail that is sent while somebody waits for it."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.core.mail import EmailMessage

log = structlog.get_logger(__name__)


def is_set() -> bool:
    """Whether e-mail can be sent at all."""
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def send(subject: str, text: str, *, to: str) -> bool:
    """As plain text; False where it could not be sent."""
    if not is_set():
        return False
    try:
        EmailMessage(" ".join(subject.split()), text, to=[to]).send()
    except OSError as error:  # those of SMTP are, too; their words have the address
        log.warning("e-mail not sent", error=type(error).__name__)
        return False
    return True
