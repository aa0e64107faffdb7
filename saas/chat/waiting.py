"""Where a conversation stands, as its customer is told."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from saas.chat import agents, handoffs
from saas.chat.models import Conversation, HandOff


@dataclass(frozen=True, slots=True)
class Standing:
    """Who answers; the place in the queue, from 1 on, while it waits; the agent's name after."""

    state: str
    position: int | None = None
    agent: str = ""


def standing(conversation: Conversation) -> Standing:
    """Of the current tenant's conversation, by now."""
    state = conversation.state
    if state not in handoffs.WITH_PEOPLE:
        return Standing(state)
    mine = HandOff.objects.filter(conversation=conversation, ended_at=None).first()
    if mine is None:
        return Standing(state)
    if state == Conversation.State.AGENT:
        return Standing(state, agent=agents.name(mine.agent, conversation.language))
    before = Q(priority__gt=mine.priority) | Q(
        priority=mine.priority, requested_at__lt=mine.requested_at
    )
    return Standing(state, position=handoffs.queue(waiting=True).filter(before).count() + 1)
