"""Celery's door to knowledge and documents."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from celery import shared_task

from saas.chat import documents, faq, knowledge, pages, transcripts
from saas.chat.models import Conversation, Document, Passage
from saas.chat.reading import formats
from saas.chat.reading.blocks import ReadError
from saas.chat.reading.chunks import cut
from saas.outside import OutsideError
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


@shared_task(time_limit=120, autoretry_for=(OSError,), retry_backoff=30, max_retries=5)
def send_transcript(tenant_id: str, conversation_id: str, address: str) -> None:
    """Send a conversation by e-mail; a mail server that is away is tried again."""
    with tenant_scope(UUID(tenant_id)), suppress(Conversation.DoesNotExist):
        transcripts.send(UUID(conversation_id), address)


@shared_task(time_limit=3600)
def read(tenant_id: str, document_id: str) -> None:
    """Read a document into passages. Repeatable: read again, it comes to the same."""
    with tenant_scope(UUID(tenant_id)):
        document = documents.take(UUID(document_id))
    if document is not None:
        with suppress(documents.Superseded):
            _read(UUID(tenant_id), document)


def _read(tenant_id: UUID, document: Document) -> None:
    try:
        if document.is_sitemap:
            _crawl(tenant_id, document)
        else:
            _keep(tenant_id, document)
    except documents.Superseded:
        raise
    except Exception as error:
        # The kind of error only: its words could hold a customer's.
        log.warning("document not read", error=type(error).__name__)
        known = isinstance(error, ReadError | OutsideError)
        with tenant_scope(tenant_id):
            ended = documents.Reading(document)
            end = ended.empty if isinstance(error, pages.Gone) else ended.fail
            end(str(error) if known else BROKEN)


def _keep(tenant_id: UUID, document: Document) -> None:
    if document.url:
        file, suffix = pages.fetch(document.url)
        with tenant_scope(tenant_id):
            documents.fill(document, file, suffix)
    with tenant_scope(tenant_id):
        path, name = documents.path_of(document), f"page{documents.suffix_of(document)}"
    reading = documents.Reading(document)
    count = formats.pages(path, name)
    found = cut(formats.read(path, name))
    while chunks := list(islice(found, BATCH)):
        with tenant_scope(tenant_id):
            reading.keep(chunks, pages=count)
    with tenant_scope(tenant_id):
        reading.finish()


def _crawl(tenant_id: UUID, document: Document) -> None:
    """Have the pages read that a sitemap names now."""
    urls, left = pages.named_by(document.url)
    reading = documents.Reading(document)
    with tenant_scope(tenant_id):
        reading.keep([], pages=len(urls))
        pages.settle(document, urls)
        reading.finish(left)


@shared_task(time_limit=3600)
def embed(tenant_id: str) -> None:
    """Give every passage of a tenant its vectors. Repeatable; encodes outside of transactions."""
    with tenant_scope(UUID(tenant_id)):
        adapters = knowledge.adapters()
    for adapter in adapters:
        while passages := _pending(tenant_id, adapter):
            read_as = knowledge.read(passages, adapter)
            with tenant_scope(UUID(tenant_id)):
                knowledge.embed(passages, read_as, adapter)


def _pending(tenant_id: str, adapter: Adapter | None) -> list[Passage]:
    with tenant_scope(UUID(tenant_id)):
        return knowledge.pending(adapter)


@shared_task(time_limit=600)
def propose_daily() -> None:
    """Look for proposals wherever agents have ended conversations since yesterday."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            if faq.is_due():
                faq.start()


@shared_task(time_limit=1800)
def propose(tenant_id: str) -> None:
    """Propose what agents answered for the knowledge. Repeatable."""
    with tenant_scope(UUID(tenant_id)):
        pairs, decided = faq.read()
    groups = faq.group(pairs, decided)
    with tenant_scope(UUID(tenant_id)):
        faq.keep(groups)
