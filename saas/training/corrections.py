"""Messages that the bot took for the wrong intent, set right by people."""

from __future__ import annotations

from uuid import UUID

from ml.personal import redact
from saas.training import examples
from saas.training.models import Correction, Example
from tenants import audit


def write(text: str, intent: str, *, guessed: str = "", actor: str) -> Correction:
    """Note what a message really meant; the next run learns it. Said again, the later word holds."""
    text = redact(text)
    digest = examples.digest(text)
    row, _ = Correction.objects.update_or_create(
        digest=digest,
        defaults={"text": text, "intent": intent, "guessed": guessed, "actor": actor},
    )
    examples.write([examples.ExampleRow(text=text, intent=intent)])
    audit.record(actor=actor, action="message.corrected", target=str(row.id))
    correction: Correction = row
    return correction


def remove(correction_id: UUID) -> None:
    """Take a correction back, and its example unless it means something else by now.

    Raises Correction.DoesNotExist.
    """
    row = Correction.objects.get(id=correction_id)
    Example.objects.filter(digest=row.digest, intent=row.intent).delete()
    row.delete()
