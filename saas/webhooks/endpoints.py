"""The webhooks of a tenant: made, changed, given new secrets, and switched off where they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.utils import timezone

from saas import outside
from saas.errors import Conflict
from saas.webhooks import deliveries, signing
from saas.webhooks.models import Webhook
from tenants import audit

log = structlog.get_logger(__name__)
MOST = 20
SCHEMES = ("https",)
FAILING = timedelta(days=3)  # without any success, after which a webhook is switched off


def create(*, url: str, events: Sequence[str], active: bool, actor: str) -> tuple[Webhook, str]:
    """A new webhook and its secret; raises Conflict, and OutsideError where no call may go."""
    outside.check(url, SCHEMES)
    if Webhook.objects.count() >= MOST:
        raise Conflict(f"There are {MOST} webhooks already. Delete one.", code="too_many_webhooks")
    secret = signing.new_secret()
    made: Webhook = Webhook.objects.create(
        url=url, events=list(dict.fromkeys(events)), active=active, secret=signing.seal(secret)
    )
    audit.record(actor=actor, action="webhook.created", target=str(made.id))
    return made, secret


def change(webhook_id: UUID, changes: Mapping[str, Any], *, actor: str) -> Webhook:
    """Set `url`, `events` or `active`; what was waiting for one that is switched on goes on.

    Raises Webhook.DoesNotExist, and OutsideError where no call may go.
    """
    webhook = lock(webhook_id)
    if "url" in changes:
        outside.check(changes["url"], SCHEMES)
    for name, value in changes.items():
        setattr(webhook, name, value)
    if webhook.active:
        webhook.reason, webhook.failing_since = "", None
        deliveries.wake(webhook.id)
    webhook.save()
    audit.record(
        actor=actor, action="webhook.changed", target=str(webhook.id), fields=sorted(changes)
    )
    return webhook


def rotate(webhook_id: UUID, *, overlap: timedelta, actor: str) -> tuple[Webhook, str]:
    """A new secret; calls are signed with the one before as well, until the overlap is over."""
    webhook, secret = lock(webhook_id), signing.new_secret()
    webhook.former_secret, webhook.former_until = "", None
    if signing.is_intact(webhook.secret):
        webhook.former_secret, webhook.former_until = webhook.secret, timezone.now() + overlap
    webhook.secret = signing.seal(secret)
    webhook.save(update_fields=["secret", "former_secret", "former_until"])
    audit.record(actor=actor, action="webhook.rotated", target=str(webhook.id))
    return webhook, secret


def remove(webhook_id: UUID, *, actor: str) -> None:
    """Delete a webhook with its deliveries."""
    # Waits for what is being queued for it, and lets nothing be queued any more.
    Webhook.objects.select_for_update().get(id=webhook_id).delete()
    audit.record(actor=actor, action="webhook.removed", target=str(webhook_id))


def judge(webhook: Webhook, error: str, *, now: datetime) -> None:
    """After a call with this error, or none: note since when it fails, and switch it off in time."""
    if not error:
        webhook.failing_since = None
    elif webhook.failing_since is None:
        webhook.failing_since = now
    elif now - webhook.failing_since > FAILING:
        switch_off(webhook, f"Nothing could be delivered for {FAILING.days} days; last: {error}")


def switch_off(webhook: Webhook, reason: str) -> None:
    """Unsaved: the caller has it locked, and saves it."""
    webhook.active, webhook.reason = False, reason
    log.warning("webhook switched off", webhook=str(webhook.id), reason=reason)


def secrets_of(webhook: Webhook, *, now: datetime) -> list[str]:
    """Those that sign now, sealed, the newest first."""
    overlaps = webhook.former_until is not None and webhook.former_until > now
    return [webhook.secret, webhook.former_secret] if overlaps else [webhook.secret]


def listening(webhook_id: UUID) -> Webhook:
    """The webhook, locked; raises Webhook.DoesNotExist, and Conflict where it is off."""
    webhook = lock(webhook_id)
    if not webhook.active:
        raise Conflict("The webhook is off. Switch it on first.", code="switched_off")
    return webhook


def lock(webhook_id: UUID) -> Webhook:
    """The webhook, nobody else's to change in this transaction; events go on being queued for it."""
    found: Webhook = Webhook.objects.select_for_update(no_key=True).get(id=webhook_id)
    return found
