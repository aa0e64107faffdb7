"""Celery's door to knowledge and documents."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from celery import shared_task

from saas.chat import documents, knowledge
from saas.chat.models import Passage
from saas.chat.reading import formats
from saas.chat.reading.blocks import ReadError
from saas.chat.reading.chunks import cut
from tenants.scope import every_tenant_id, tenant_scope

if TYPE_CHECKING:
    from ml.adapters import Adapter

log = structlog.get_logger(__name__)
BATCH = 200  # passages that are stored together
BROKEN = "Something broke on our side; it has been logged. Send the file again."


@shared_task(time_limit=600)
def catch_up() -> None:
    """Embed what was stored while the queue was away, or by another encoder than today's."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            waiting = any(knowledge.pending(adapter) for adapter in knowledge.adapters())
            unread = documents.stale()
        if waiting:
            embed.delay(str(tenant_id))
        for document_id in unread:
            read.delay(str(tenant_id), str(document_id))


@shared_task(time_limit=3600)
def read(tenant_id: str, document_id: str) -> None:
    """Read a document into passages. Repeatable: read again, it comes to the same."""
    with tenant_scope(UUID(tenant_id)):
        document = documents.take(UUID(document_id))
        if document is None:
            return
        path = documents.path_of(document)
    with suppress(documents.Superseded):
        _read(UUID(tenant_id), documents.Reading(document), path, document.name)


def _read(tenant_id: UUID, reading: documents.Reading, path: Path, name: str) -> None:
    try:
        pages = formats.pages(path, name)
        found = cut(formats.read(path, name))
        while chunks := list(islice(found, BATCH)):
            with tenant_scope(tenant_id):
                reading.keep(chunks, pages=pages)
        with tenant_scope(tenant_id):
            reading.finish()
    except documents.Superseded:
        raise
    except Exception as error:
        # The kind of error only: its words could hold a customer's.
        log.warning("document not read", error=type(error).__name__)
        with tenant_scope(tenant_id):
            reading.fail(str(error) if isinstance(error, ReadError) else BROKEN)


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
