"""Celery's door to knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from celery import shared_task

from saas.chat import knowledge
from saas.chat.models import Passage
from tenants.scope import every_tenant_id, tenant_scope

if TYPE_CHECKING:
    from ml.adapters import Adapter


@shared_task(time_limit=600)
def catch_up() -> None:
    """Embed what was stored while the queue was away, or by another encoder than today's."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            waiting = any(knowledge.pending(adapter) for adapter in knowledge.adapters())
        if waiting:
            embed.delay(str(tenant_id))


@shared_task(time_limit=3600)
def embed(tenant_id: str) -> None:
    """Give every passage of a tenant its vectors. Repeatable; encodes outside of transactions."""
    with tenant_scope(UUID(tenant_id)):
        adapters = knowledge.adapters()
    for adapter in adapters:
        while passages := _pending(tenant_id, adapter):
            vectors = knowledge.vectors_of(passages, adapter)
            with tenant_scope(UUID(tenant_id)):
                knowledge.embed(passages, vectors, adapter)


def _pending(tenant_id: str, adapter: Adapter | None) -> list[Passage]:
    with tenant_scope(UUID(tenant_id)):
        return knowledge.pending(adapter)
