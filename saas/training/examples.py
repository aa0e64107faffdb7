"""Training examples: texts with the intent they stand for."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator

from ml.personal import redact
from saas import rows
from saas.training.models import Example


class ExampleRow(rows.Row):
    text: Annotated[str, AfterValidator(redact)] = rows.text(
        2_000, says="What a customer might write; personal data in it is not kept"
    )
    intent: str = rows.text(
        128, says="What it stands for: a name of your own, such as refund_status"
    )
    language: rows.Language | None = None


def digest(text: str) -> str:
    """Equal for texts that differ in case, width or spacing only."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def write(given: Sequence[ExampleRow]) -> list[rows.Status]:
    """Store examples; a text that is there already takes the intent given now."""
    return rows.upsert(
        Example,
        [
            {
                "digest": digest(row.text),
                "text": row.text,
                "intent": row.intent,
                "language": row.language or "",
            }
            for row in given
        ],
        key="digest",
        compare=("intent", "language"),
    )


def remove(example_id: UUID) -> None:
    """Delete an example; raises Example.DoesNotExist."""
    Example.objects.get(id=example_id).delete()


KIND = rows.Kind(
    name="examples",
    form=ExampleRow,
    write=write,
    aliases={"label": "intent", "category": "intent", "utterance": "text", "lang": "language"},
)
