"""Celery's door to knowledge."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from saas import engine
from saas.chat import knowledge
from tenants.scope import every_tenant_id, tenant_scope


@shared_task(time_limit=600)
def catch_up() -> None:
    """Embed what was stored while the queue was away, or by another encoder than today's."""
    encoder = engine.fingerprint()
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            waiting = bool(knowledge.pending(encoder))
        if waiting:
            embed.delay(str(tenant_id))


@shared_task(time_limit=3600)
def embed(tenant_id: str) -> None:
    """Give every passage of a tenant its vector. Repeatable; encodes outside of transactions."""
    encoder = engine.fingerprint()
    while True:
        with tenant_scope(UUID(tenant_id)):
            passages = knowledge.pending(encoder)
        if not passages:
            return
        vectors = knowledge.vectors_of(passages)
        with tenant_scope(UUID(tenant_id)):
            knowledge.embed(passages, vectors, encoder)
