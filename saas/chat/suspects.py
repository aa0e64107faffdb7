"""Knowledge that gives orders to language models: none reads it, unless a person lets it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from saas.chat import knowledge
from saas.chat.models import Passage
from tenants import audit


def found() -> QuerySet[Passage]:
    """The current tenant's, those that were released too."""
    suspect: QuerySet[Passage] = Passage.objects.filter(suspect=True)
    return suspect.defer(*knowledge.VECTORS)


def release(passage_id: UUID, *, actor: str) -> Passage:
    """Let language models read it; what was released stays so. Raises Passage.DoesNotExist."""
    passage = found().select_for_update().get(id=passage_id)
    if passage.is_held:
        _decide(passage, by=actor)
        audit.record(actor=actor, action="passage.released", target=str(passage_id))
    return passage


def hold(passage_id: UUID, *, actor: str) -> Passage:
    """Keep it from language models again. Raises Passage.DoesNotExist."""
    passage = found().select_for_update().get(id=passage_id)
    if not passage.is_held:
        _decide(passage, by="")
        audit.record(actor=actor, action="passage.held", target=str(passage_id))
    return passage


def _decide(passage: Passage, *, by: str) -> None:
    passage.released_by, passage.released_at = by, timezone.now() if by else None
    passage.save(update_fields=["released_by", "released_at"])
