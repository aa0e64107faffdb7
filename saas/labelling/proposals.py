"""Proposed intents: found in raw turns, then accepted, renamed, merged, split or rejected."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F

from ml.language import language_of
from saas import engine
from saas.chat import replies
from saas.errors import Conflict, Problem
from saas.labelling import turns
from saas.labelling.models import Proposal, Turn
from saas.training import examples
from tenants import audit

MOST = 50_000  # turns that one discovery reads
LONGEST = 2_000  # characters of an example
WRITTEN = 200  # examples that an accepted proposal writes: its most typical turns
LETTER = re.compile(r"[^\W_]")
Found = tuple[dict[str, Any], list[Turn]]
"""The fields of a proposal that is not stored yet, and its turns."""


def read() -> tuple[list[Turn], dict[str, str]]:
    """The turns to find intents in, and what agents answered. Emoji and signs alone say too little."""
    found = [t for t in turns.waiting(MOST) if len(t.text) <= LONGEST and LETTER.search(t.text)]
    return found, turns.answers(found)


def find(read_: list[Turn], answered: dict[str, str]) -> list[Found]:
    """Proposals, not stored yet, and their turns with their typicality. Encodes: minutes, no scope."""
    from ml import discovery

    if not read_:
        return []
    texts = [turn.text for turn in read_]
    vectors = engine.encode_all(texts, "query")
    found = []
    for one in discovery.discover(texts, vectors, background=engine.background()):
        members = [read_[place] for place in one.members]
        for turn, typicality in zip(members, one.typicality, strict=True):
            turn.typicality = typicality
        fields = {
            "name": one.name[:128],
            "keywords": list(one.keywords),
            "examples": [texts[place] for place in one.examples],
            "replies": _replies([answered[str(t.id)] for t in members if str(t.id) in answered]),
            "quality": one.quality,
            "size": len(members),
        }
        found.append((fields, members))
    return found


def keep(found: Sequence[Found]) -> None:
    """In place of the open ones."""
    Proposal.objects.filter(state=Proposal.State.OPEN).delete()
    for fields, members in found:
        proposal = Proposal.objects.create(**fields)
        for turn in members:
            turn.proposal = proposal
        Turn.objects.bulk_update(members, ["proposal", "typicality"], batch_size=500)


def _replies(written: Sequence[str]) -> dict[str, str]:
    """By language the answer that is most like all the answers of it."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for text in written:
        by_language[language_of(text)].append(text)
    found = {}
    for language, texts in by_language.items():
        vectors = engine.encode_all(texts, "query")
        found[language] = texts[int((vectors @ vectors.mean(axis=0)).argmax())]
    return found


def accept(proposal: Proposal, *, with_replies: bool, actor: str) -> int:
    """Write its most typical turns as examples, and its replies if wanted; returns how many examples.

    A reply that the tenant has written already stays as it is.
    """
    _check_open(proposal)
    members = list(proposal.turns.filter(state=Turn.State.OPEN).order_by("-typicality", "id"))
    chosen = members[:WRITTEN]
    examples.write([_example(turn.text, proposal.name) for turn in chosen])
    if with_replies:
        replies.write(
            [
                replies.ReplyRow.model_validate(
                    {"intent": proposal.name, "language": language, "text": text}
                )
                for language, text in proposal.replies.items()
                if replies.find(proposal.name, language) is None
            ]
        )
    Turn.objects.filter(id__in=[turn.id for turn in chosen]).update(state=Turn.State.LABELLED)
    close(proposal, Proposal.State.ACCEPTED, actor=actor)
    return len(chosen)


def close(proposal: Proposal, state: str, *, actor: str) -> None:
    """Accepted or rejected; turns of a rejected one stay with it and are not proposed again."""
    _check_open(proposal)
    proposal.state = state
    proposal.save(update_fields=["state"])
    audit.record(actor=actor, action=f"proposal.{state}", target=str(proposal.id))


def rename(proposal: Proposal, name: str) -> None:
    _check_open(proposal)
    proposal.name = name
    proposal.save(update_fields=["name"])


def merge(proposal: Proposal, other: Proposal) -> None:
    """Take over the other's turns; the other is gone. Its replies fill languages that lack one."""
    if proposal.id == other.id:
        raise Problem("A proposal cannot be merged with itself. Give another one's id.")
    _check_open(proposal)
    _check_open(other)
    whole = proposal.size + other.size
    proposal.quality = (proposal.quality * proposal.size + other.quality * other.size) / whole
    proposal.size = whole
    proposal.examples = [*proposal.examples, *other.examples]
    proposal.replies = other.replies | proposal.replies
    proposal.save()
    other.turns.update(proposal=proposal)
    other.delete()


def split(proposal: Proposal, turn_ids: Sequence[UUID], name: str) -> Proposal:
    """A new proposal of some of its turns; raises Problem where they are not its, or are all of them."""
    _check_open(proposal)
    moved = list(proposal.turns.filter(id__in=turn_ids).order_by("-typicality", "id"))
    if len(moved) != len(set(turn_ids)) or len(moved) == proposal.size:
        raise Problem("Name some of this proposal's turns, not all of them and no others.")
    new: Proposal = Proposal.objects.create(
        name=name,
        examples=[turn.text for turn in moved[:5]],
        quality=proposal.quality,
        size=len(moved),
    )
    Turn.objects.filter(id__in=[turn.id for turn in moved]).update(proposal=new)
    proposal.size = F("size") - len(moved)
    left = proposal.turns.order_by("-typicality", "id")[:5]
    proposal.examples = [turn.text for turn in left]
    proposal.save()
    proposal.refresh_from_db()
    return new


def _example(text: str, intent: str) -> examples.ExampleRow:
    return examples.ExampleRow.model_validate(
        {"text": text, "intent": intent, "language": language_of(text)}
    )


def _check_open(proposal: Proposal) -> None:
    if proposal.state != Proposal.State.OPEN:
        raise Conflict(f"The proposal is {proposal.state} already.", code="proposal_closed")
