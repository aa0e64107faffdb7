"""What agents do with a hand-off besides answering it (`saas.chat.handoffs` has the states)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from saas.chat import handoffs, live, notices
from saas.chat.models import Conversation, HandOff, Note, Tag
from saas.errors import Conflict, Problem

MENTION = re.compile(r"(?<![\w.])@([^\s@,;:!?，。；：！？]+(?:@[\w.-]+\w)?)")
MOST_TAGS = 20


def assign(hand_off_id: UUID, *, to: str) -> HandOff:
    """Somebody in particular answers from now on, whoever did before. Raises Conflict."""
    hand_off = handoffs.locked(hand_off_id)
    if hand_off.conversation.state == Conversation.State.WAITING:
        return handoffs.take(hand_off_id, agent=to)
    hand_off.agent = to
    hand_off.save(update_fields=["agent"])
    notices.taken(hand_off)
    notices.moved(hand_off.conversation)  # the customer sees who answers
    return hand_off


def leave(agent: str) -> None:
    """Somebody answers no more: what they had goes back into the queue, and their pages end."""
    theirs = handoffs.queue(waiting=False).filter(agent=agent).order_by("conversation_id")
    for hand_off_id in list(theirs.values_list("id", flat=True)):
        with suppress(Conflict):  # somebody else has it meanwhile, or it is over
            handoffs.release(hand_off_id, agent=agent)
    live.tell(None, live.LEFT, agent=agent)


def snooze(hand_off_id: UUID, *, until: datetime, agent: str) -> HandOff:
    """Out of sight until then, or until the customer writes again. Raises Conflict."""
    hand_off = handoffs.locked(hand_off_id)
    if hand_off.conversation.state == Conversation.State.AGENT:
        handoffs.check_agent(hand_off, agent)
    if until <= timezone.now():
        raise Problem("'until' must be a time to come.", code="past")
    hand_off.snoozed_until = until
    hand_off.save(update_fields=["snoozed_until"])
    notices.changed(hand_off.conversation_id)
    return hand_off


def wake(hand_off_id: UUID) -> HandOff:
    """Into sight again."""
    hand_off = handoffs.locked(hand_off_id)
    hand_off.snoozed_until = None
    hand_off.save(update_fields=["snoozed_until"])
    notices.changed(hand_off.conversation_id)
    return hand_off


def merge(hand_off_id: UUID, *, into: UUID, agent: str) -> HandOff:
    """Go on in another open hand-off of the same customer; its conversation shows both.

    This one's conversation is closed; nothing in it is moved. Raises Conflict.
    """
    if hand_off_id == into:
        raise Problem("A conversation cannot be merged into itself.", code="same")
    hand_off = handoffs.locked(hand_off_id)
    if not HandOff.objects.filter(id=into, ended_at=None).exists():
        raise Conflict("There is no open hand-off of the id in 'into'.", code="no_target")
    other = handoffs.locked(into)
    customer = hand_off.conversation.customer
    if not customer or customer != other.conversation.customer:
        raise Conflict("Only conversations of one known customer can be merged.", code="two_people")
    handoffs.close(hand_off_id, agent=agent)
    HandOff.objects.filter(id=hand_off_id).update(merged_into=other)
    HandOff.objects.filter(merged_into=hand_off_id).update(merged_into=other)
    notices.changed(other.conversation_id)
    return other


def tag(conversation_id: UUID, names: Sequence[str]) -> list[str]:
    """These are a conversation's tags from now on, in lower case. Raises Conversation.DoesNotExist."""
    conversation = handoffs.lock(conversation_id)
    wanted = sorted({name.strip().lower() for name in names} - {""})
    if len(wanted) > MOST_TAGS:
        raise Problem(f"More than {MOST_TAGS} tags. Leave some out.", code="too_many_tags")
    Tag.objects.filter(conversation=conversation).exclude(name__in=wanted).delete()
    rows = [Tag(conversation=conversation, name=name) for name in wanted]
    Tag.objects.bulk_create(rows, ignore_conflicts=True)
    notices.changed(conversation_id)
    return wanted


def note(conversation_id: UUID, text: str, *, agent: str) -> Note:
    """Tell colleagues something; `@name` draws that one's attention to it.

    Raises Conversation.DoesNotExist.
    """
    conversation = Conversation.objects.get(id=conversation_id)
    mentions = list(dict.fromkeys(MENTION.findall(text)))
    written: Note = Note.objects.create(
        conversation=conversation, agent=agent, text=text, mentions=mentions
    )
    notices.noted(written)
    return written


def notes(conversation_ids: Sequence[UUID]) -> list[Note]:
    return list(Note.objects.filter(conversation__in=conversation_ids).order_by("created_at"))
