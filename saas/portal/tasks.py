"""Celery's door to the portal's e-mails."""

from __future__ import annotations

from celery import shared_task
from django.core.mail import EmailMessage

from saas.webhooks import signing


@shared_task(time_limit=60, autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send(subject: str, sealed: str, address: str) -> None:
    """Send somebody a letter; a mail server that is away is tried again."""
    EmailMessage(subject, signing.unseal(sealed), to=[address]).send()
