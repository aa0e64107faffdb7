"""Documents: files of the tenant's knowledge, and the passages that a worker reads out of them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path, PurePath
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from saas import rows, workers
from saas.chat import knowledge, safety
from saas.chat.models import Document, Passage
from saas.chat.reading.chunks import Chunk
from tenants import audit
from tenants.scope import current_tenant_id

LEASE = timedelta(minutes=61)  # a minute more than the task's time limit
BLOCK = 1024 * 1024
INHERITED = ("language", *knowledge.APPLIES)  # what passages have from their document
RENEWED = ("seen", "page", "suspect")  # and what may change of one whose words are the same


class DocumentForm(knowledge.ApplicableRow):
    name: str = rows.text(200, says="By which it is known; the same name again replaces it")
    language: rows.Language | None = None


def put(form: DocumentForm, file: BinaryIO, *, actor: str) -> tuple[Document, bool]:
    """Store a file under its name and have it read; False where it is there as given.

    What was read of an older file under this name answers until the new one has been read.
    """
    digest, size = _keep(file, PurePath(form.name).suffix)
    fields = {
        "digest": digest,
        "size": size,
        "language": form.language or "",
        **form.applies(),
    }
    found: Document | None = Document.objects.select_for_update().filter(name=form.name).first()
    if found is None:
        found = Document.objects.create(name=form.name, **fields)
    elif found.state == Document.State.READY and all(
        getattr(found, name) == value for name, value in fields.items()
    ):
        return found, False
    before = path_of(found)
    Document.objects.filter(id=found.id).update(
        **fields, state=Document.State.QUEUED, error="", updated_at=timezone.now()
    )
    found.refresh_from_db()
    audit.record(actor=actor, action="document.written", target=str(found.id))
    _discard(before)
    queue(found)
    return found, True


def listed() -> QuerySet[Document]:
    """All of them, each with how many passages of it can be found by now: `searchable`."""
    parts = Passage.objects.filter(document=OuterRef("pk"), since__lte=OuterRef("version"))
    found = parts.exclude(sentences=None).order_by().values("document")
    counts = Subquery(found.annotate(count=Count("*")).values("count"))
    everything: QuerySet[Document] = Document.objects.all()
    return everything.annotate(searchable=Coalesce(counts, 0))


def remove(document_id: UUID, *, actor: str) -> None:
    """Delete a document with its passages, a sitemap with its pages; raises Document.DoesNotExist."""
    found = Document.objects.get(id=document_id)
    for page in found.named():
        remove(page.id, actor=actor)
    path = path_of(found)
    found.delete()
    audit.record(actor=actor, action="document.removed", target=str(document_id))
    _discard(path)
    knowledge.changed()


def waiting() -> int:
    """How many documents of the current tenant are still to be read."""
    return Document.objects.filter(state__in=Document.OPEN).count()


def path_of(document: Document) -> Path:
    return _folder() / f"{document.digest}{suffix_of(document)}"


def suffix_of(document: Document) -> str:
    """The format, as the ending of a file's name."""
    suffix: str = document.suffix if document.url else PurePath(document.name).suffix.lower()
    return suffix


def fill(document: Document, file: BinaryIO, suffix: str) -> None:
    """Put what a page holds now in the place of what it held before; raises Superseded."""
    before, digest = path_of(document), document.digest
    document.digest, document.size = _keep(file, suffix)
    document.suffix = suffix
    mine = Document.objects.filter(id=document.id, readings=document.readings, digest=digest)
    if not mine.update(digest=document.digest, size=document.size, suffix=suffix):
        raise Superseded
    if before != path_of(document):
        _discard(before)


def take(document_id: UUID) -> Document | None:
    """The document, now this worker's to read; None where there is nothing to read."""
    found: Document | None = (
        Document.objects.select_for_update().filter(id=document_id, state__in=Document.OPEN).first()
    )
    if found is not None:
        found.state, found.lease_until = Document.State.READING, timezone.now() + LEASE
        found.pages, found.pages_read, found.passages, found.suspects = None, 0, 0, 0
        found.readings += 1
        found.save()
    return found


class Superseded(Exception):
    """The document was replaced, deleted or taken by another worker while it was read."""


class Reading:
    """One reading of a document: what it has seen so far, and what is to become of it.

    All of its calls raise `Superseded` once a later reading has begun, or the document is gone.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._version = document.readings
        self._times: Counter[str] = Counter()
        self._read = self._suspects = 0

    def keep(self, chunks: Sequence[Chunk], *, pages: int | None) -> None:
        """Store some passages. Those that are there already keep their vectors."""
        last = next((chunk.page for chunk in reversed(chunks) if chunk.page), 0)
        self._read += len(chunks)
        suspect = [safety.is_suspect(f"{chunk.heading}\n{chunk.text}") for chunk in chunks]
        self._suspects += sum(suspect)
        self._update(passages=self._read, suspects=self._suspects, pages_read=last, pages=pages)
        given = {name: getattr(self._document, name) for name in INHERITED}
        fields = {}
        for chunk, is_suspect in zip(chunks, suspect, strict=True):
            digest = self._digest(chunk)
            fields[digest] = {
                "question": chunk.heading,
                "answer": chunk.text,
                **given,
                "source": self._document.name,
                "page": chunk.page,
                "seen": self._version,
                "suspect": is_suspect,
            }
        known = Passage.objects.filter(digest__in=fields).defer(*knowledge.VECTORS)
        there = {passage.digest: passage for passage in known}
        for digest, passage in there.items():
            for name in (*RENEWED, *INHERITED):
                setattr(passage, name, fields[digest][name])
        Passage.objects.bulk_update(there.values(), [*RENEWED, *INHERITED])
        Passage.objects.bulk_create(
            Passage(digest=digest, document=self._document, since=self._version, **values)
            for digest, values in fields.items()
            if digest not in there
        )

    def finish(self, left_out: str = "") -> None:
        """Let the new passages answer, and delete those that are gone."""
        self._update(
            state=Document.State.READY,
            error=left_out,
            version=self._version,
            pages_read=Coalesce("pages", 0),
            updated_at=timezone.now(),
        )
        Passage.objects.filter(document=self._document, seen__lt=self._version).delete()
        knowledge.changed()

    def fail(self, error: str) -> None:
        """Take back what was read; what answered before goes on answering."""
        self._update(state=Document.State.FAILED, error=error, updated_at=timezone.now())
        Passage.objects.filter(document=self._document, since=self._version).delete()

    def empty(self, error: str) -> None:
        """There is nothing to read any more: what answered before answers no more."""
        self._update(state=Document.State.FAILED, error=error, updated_at=timezone.now())
        Passage.objects.filter(document=self._document).delete()
        knowledge.changed()

    def _update(self, **fields: Any) -> None:
        # A file that was put in its place has another digest, and waits to be read.
        own = {"readings": self._version, "digest": self._document.digest}
        if not Document.objects.filter(id=self._document.id, **own).update(**fields):
            raise Superseded

    def _digest(self, chunk: Chunk) -> str:
        """The same for the same words below the same heading, wherever they stand now."""
        text = f"{self._document.id}\0{chunk.heading}\0{chunk.text}"
        self._times[text] += 1
        return hashlib.sha256(f"{text}\0{self._times[text]}".encode()).hexdigest()[:32]


def stale() -> list[UUID]:
    """Documents whose worker went away, or whose task never reached the queue."""
    waiting = Document.objects.filter(state__in=Document.OPEN, lease_until__lt=timezone.now())
    return list(waiting.values_list("id", flat=True))


def queue(document: Document) -> None:
    from saas.chat.tasks import read

    workers.queue(read, str(current_tenant_id()), str(document.id))


def _discard(path: Path) -> None:
    """Delete a file that no document has any more, once that is committed."""
    fetched = path != _folder()  # a page that was never fetched has no file
    if fetched and not Document.objects.filter(digest=path.stem).exists():
        transaction.on_commit(partial(path.unlink, missing_ok=True))


def _keep(file: BinaryIO, suffix: str) -> tuple[str, int]:
    """Put a file where workers find it, whole or not at all; its digest and its size."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    digest, size, part = hashlib.sha256(), 0, folder / f".{os.urandom(8).hex()}"
    try:
        with part.open("wb") as kept:
            while block := file.read(BLOCK):
                digest.update(block)
                size += kept.write(block)
        part.replace(folder / f"{digest.hexdigest()}{suffix.lower()}")
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest(), size


def _folder() -> Path:
    path: Path = settings.DOCUMENTS / str(current_tenant_id())
    return path
