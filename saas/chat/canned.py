"""Replies that agents send again and again, with what is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from saas import rows
from saas.chat.models import Canned

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
KNOWN = ("customer", "agent", "business")


class CannedRow(rows.Row):
    name: str = rows.text(40, says="What agents type to find it")
    language: rows.Language
    text: str = rows.text(
        4_000, says="{{customer}}, {{agent}} and {{business}} are filled in; others stay"
    )


def put(row: CannedRow) -> Canned:
    """Keep it, in place of one of the same name and language."""
    kept: Canned
    kept, _ = Canned.objects.update_or_create(
        name=row.name, language=row.language, defaults={"text": row.text}
    )
    return kept


def every(language: str = "") -> Sequence[Canned]:
    """All of them by name, those in that language first."""
    found = list(Canned.objects.order_by("name", "language"))
    return sorted(found, key=lambda canned: canned.language != language)


def remove(canned_id: UUID) -> None:
    """Raises Canned.DoesNotExist."""
    Canned.objects.get(id=canned_id).delete()


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables replaced, once: what a value says is never read again."""
    return VARIABLE.sub(lambda found: values.get(found.group(1)) or found.group(0), text)
