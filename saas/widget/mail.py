"""Whether e-mail can be sent at all."""

from django.conf import settings


def is_set() -> bool:
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")
