"""Files in conversations: what they are is told by what they hold, not by their name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePath
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import FileResponse

from saas.chat.models import Attachment, Message
from saas.errors import BodyTooLarge, Problem
from tenants.scope import current_tenant_id, tenant_scope

LARGEST = 10 * 1024**2  # bytes
OPEN_FOR = 3600  # seconds that a link opens a file
SALT = "frontdesk.attachment"
HEADS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
}
# A picture is shown and everything else saved; nothing in it runs, whatever it holds.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}
TEXTS = (".txt", ".csv", ".log", ".md")
TAKEN = "Send a picture (PNG, JPEG, GIF, WebP), a PDF, or a text (.txt, .csv, .log, .md)."


class Gone(Exception):
    """There is no such file: the link is none of ours, has expired, or its file was deleted."""


def put(message: Message, file: BinaryIO, name: str) -> Attachment:
    """Keep a file with a message. Raises Problem where it is too large or of no kind that is taken."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BodyTooLarge(f"The file is larger than {LARGEST // 1024**2} MB. Send a smaller one.")
    kept = _folder() / hashlib.sha256(content).hexdigest()
    kind = type_of(content, name)
    _write(kept, content)
    made: Attachment = Attachment.objects.create(
        message=message,
        name="".join(c for c in PurePath(name).name if c.isprintable())[-200:] or "file",
        type=kind,
        size=len(content),
        digest=kept.name,
    )
    return made


def type_of(content: bytes, name: str) -> str:
    """The media type by the first bytes; raises Problem for one that is not taken."""
    for head, kind in HEADS.items():
        if content.startswith(head):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if name.lower().endswith(TEXTS) and content and b"\0" not in content:
        return "text/plain"
    raise Problem(f"Files of this kind are not taken. {TAKEN}", code="unknown_format")


def link(attachment: Attachment) -> str:
    """The path that opens it for a while, to whoever has it."""
    ids = [str(attachment.tenant_id), str(attachment.id)]
    return f"/widget/files/{signing.dumps(ids, salt=SALT)}"


def find(token: str) -> tuple[Attachment, Path]:
    """What a link opens, and where it lies. Raises Gone."""
    try:
        tenant_id, id_ = signing.loads(token, salt=SALT, max_age=OPEN_FOR)
    except signing.BadSignature as error:
        raise Gone from error
    with tenant_scope(UUID(tenant_id)):
        return own(UUID(id_))


def own(id_: UUID) -> tuple[Attachment, Path]:
    """One of the current tenant's, and where it lies. Raises Gone."""
    found = Attachment.objects.filter(id=id_).first()
    path = _folder() / found.digest if found else None
    if found is None or path is None or not path.exists():
        raise Gone
    return found, path


def serve(attachment: Attachment, path: Path) -> FileResponse:
    """For a browser: pictures to be shown, everything else to be saved."""
    return FileResponse(
        path.open("rb"),
        as_attachment=not attachment.is_picture,
        filename=attachment.name,
        content_type=attachment.type,
        headers=HEADERS,
    )


def discard(digests: Iterable[str]) -> None:
    """Delete the files among these that no attachment has any more, once that is committed."""
    left = set(digests) - set(
        Attachment.objects.filter(digest__in=digests).values_list("digest", flat=True)
    )
    for digest in left:
        transaction.on_commit(partial((_folder() / digest).unlink, missing_ok=True))


def _write(path: Path, content: bytes) -> None:
    """Whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{os.urandom(8).hex()}")
    part.write_bytes(content)
    part.replace(path)


def _folder() -> Path:
    found: Path = settings.DOCUMENTS / str(current_tenant_id()) / "attachments"
    return found
