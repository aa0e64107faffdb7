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
    title: str = rows.optional_text(
        80, says="What the bot calls it where it asks which of two is meant, such as “Refunds”"
    )


def write(given: Sequence[ReplyRow]) -> list[rows.Status]:
    return rows.upsert(
        Reply,
        [{"name": f"{row.language}:{row.intent}", **row.model_dump()} for row in given],
        key="name",
        compare=("text", "title"),
    )


def find(intent: str, language: str, *, strict: bool = False) -> str | None:
    """The reply in that language, else (not if strict) in the other one, else None."""
    found = dict(Reply.objects.filter(intent=intent).values_list("language", "text"))
    return found.get(language) or (None if strict else next(iter(found.values()), None))


def title(intent: str, language: str) -> str | None:
    """What its replies call an intent; empty where they give it no name, None without a reply."""
    found = dict(Reply.objects.filter(intent=intent).values_list("language", "title"))
    return found.get(language, "") if found else None


def remove(reply_id: UUID) -> None:
    """Delete a reply; raises Reply.DoesNotExist."""
    Reply.objects.get(id=reply_id).delete()


KIND = rows.Kind(name="replies", form=ReplyRow, write=write, aliases={"reply": "text"})
