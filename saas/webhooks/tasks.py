"""Celery's door to webhooks."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task

from saas.webhooks import calls, events
from tenants.scope import every_tenant_id, tenant_scope

log = structlog.get_logger(__name__)


@shared_task(time_limit=300)
def deliver(tenant_id: str, webhook_id: str) -> None:
    """Call a webhook for what is due. Repeatable: what was delivered is not due any more."""
    if calls.work_off(UUID(tenant_id), UUID(webhook_id)):
        deliver.delay(tenant_id, webhook_id)


@shared_task(time_limit=600)
def catch_up() -> None:
    """Deliver what is to be tried again, and what was written while the queue was away."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            found = calls.stale()
        for webhook_id in found:
            deliver.delay(str(tenant_id), str(webhook_id))


@shared_task(time_limit=600)
def forget() -> None:
    """Drop what is older than it can be replayed."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            dropped = events.forget()
        if dropped:
            log.info("old events dropped", tenant=str(tenant_id), rows=dropped)
