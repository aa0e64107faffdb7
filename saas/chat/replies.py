"""The tenant's approved replies, by intent and language."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from saas import rows
from saas.chat.models import Reply


class ReplyRow(rows.Row):
    intent: str = rows.text(128, says="As in your examples")
    language: rows.Language
    text: str = rows.text(4_000, says="What the bot says, word for word")


def write(given: Sequence[ReplyRow]) -> list[rows.Status]:
    return rows.upsert(
        Reply,
        [{"name": f"{row.language}:{row.intent}", **row.model_dump()} for row in given],
        key="name",
        compare=("text",),
    )


def find(intent: str, language: str) -> str | None:
    """The reply in that language, else in another one the tenant has written, else None."""
    found = dict(Reply.objects.filter(intent=intent).values_list("language", "text"))
    return found.get(language) or next(iter(found.values()), None)


def remove(reply_id: UUID) -> None:
    """Delete a reply; raises Reply.DoesNotExist."""
    Reply.objects.get(id=reply_id).delete()


KIND = rows.Kind(name="replies", form=ReplyRow, write=write, aliases={"reply": "text"})
