"""Turns of raw conversations, as a help desk's log has them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

from django.db.models import Q
from pydantic import AfterValidator, BeforeValidator, Field

from ml.personal import redact
from saas import rows
from saas.labelling.models import Turn

AUTHORS = {
    **dict.fromkeys(("customer", "user", "client", "visitor", "客户", "用户", "顾客"), "customer"),
    **dict.fromkeys(("agent", "operator", "staff", "assistant", "客服", "坐席", "人工"), "agent"),
    **dict.fromkeys(("bot", "robot", "system", "机器人"), "bot"),
}


def _author(value: object) -> object:
    """Our word for whoever wrote it; an unknown one is left for the form to refuse."""
    return AUTHORS.get(value.strip().casefold(), value) if isinstance(value, str) else value


class TurnRow(rows.Row):
    conversation: rows.Identifier = Field(description="Your own id of the conversation")
    author: Annotated[Literal["customer", "agent", "bot"], BeforeValidator(_author)]
    text: Annotated[str, AfterValidator(redact)] = rows.text(
        4_000, says="What was written; personal data in it is not kept"
    )
    at: rows.Moment = Field(description="When it was written")


def texts(most: int) -> list[str]:
    """What customers wrote in the current tenant's logs, the newest so many turns."""
    asked = Turn.objects.filter(author=Turn.Author.CUSTOMER)
    return list(asked.order_by("-at").values_list("text", flat=True)[:most])


def digest(row: TurnRow) -> str:
    """The same for a turn that is sent twice."""
    parts = (row.conversation, row.author, row.at.isoformat(), row.text)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def write(given: Sequence[TurnRow]) -> list[rows.Status]:
    """Store turns; one that is there already is left as it is."""
    return rows.upsert(
        Turn,
        [{"digest": digest(row), **row.model_dump()} for row in given],
        key="digest",
        compare=(),
    )


def waiting(limit: int) -> list[Turn]:
    """Customers' turns without a label that may become examples, the newest first.

    Those of an open proposal are among them: they may be proposed anew.
    """
    free = Q(proposal=None) | Q(proposal__state="open")
    found = Turn.objects.filter(free, author="customer", state="open")
    return list(found.only("id", "text", "conversation", "at").order_by("-at", "id")[:limit])


def answers(asked: Sequence[Turn]) -> dict[str, str]:
    """What an agent wrote next, in the same conversation, by the asking turn's id."""
    conversations = {turn.conversation for turn in asked}
    # At one moment the customer comes before the agent.
    log = Turn.objects.filter(conversation__in=conversations).order_by(
        "conversation", "at", "-author", "id"
    )
    found: dict[str, str] = {}
    before: Turn | None = None
    for turn in log.iterator(chunk_size=5_000):
        if before is not None and before.conversation != turn.conversation:
            before = None
        if turn.author == Turn.Author.CUSTOMER:
            before = turn
        elif turn.author == Turn.Author.AGENT and before is not None:
            found[str(before.id)] = turn.text
            before = None
    return found


KIND = rows.Kind(
    name="turns",
    form=TurnRow,
    write=write,
    aliases={
        "conversation_id": "conversation",
        "session_id": "conversation",
        "role": "author",
        "sender": "author",
        "message": "text",
        "content": "text",
        "time": "at",
        "timestamp": "at",
        "created_at": "at",
    },
)
