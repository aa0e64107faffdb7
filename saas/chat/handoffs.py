"""From the bot to a person and back: the states of a conversation, and what each step may follow.

    bot ──request──▶ waiting ──take──▶ agent
     ▲ ◀──hand back──┘  ▲ ◀──release──┘ │
     └──────────── hand back ───────────┘      from each of them ──close──▶ closed ──write──▶ bot

While a conversation waits for a person or has one, the bot is silent.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from saas.chat import notices
from saas.chat.models import Conversation, HandOff, Message
from saas.errors import Conflict

State = Conversation.State
MOVES: dict[str, dict[str, str]] = {
    "request": {State.BOT: State.WAITING},
    "take": {State.WAITING: State.AGENT},
    "release": {State.AGENT: State.WAITING},
    "hand_back": {State.AGENT: State.BOT, State.WAITING: State.BOT},
    "close": {s: State.CLOSED for s in (State.BOT, State.WAITING, State.AGENT)},
    "reopen": {State.CLOSED: State.BOT},
}
WITH_PEOPLE = (State.WAITING, State.AGENT)
URGENT = 3  # priority of who asks for a person; who only meets an unsure bot has 0


def request(conversation_id: UUID, *, reason: str, priority: int = 0, note: str = "") -> HandOff:
    """Put a conversation into the queue; one that is there or has a person stays as it is.

    Raises Conversation.DoesNotExist, and Conflict where it is closed.
    """
    conversation = lock(conversation_id)
    if conversation.state in WITH_PEOPLE:
        found: HandOff = _open().get(conversation=conversation)
        return found
    _move(conversation, "request")
    made: HandOff = HandOff.objects.create(
        conversation=conversation, reason=reason, priority=priority, note=note
    )
    notices.requested(made)
    return made


def take(hand_off_id: UUID, *, agent: str) -> HandOff:
    """An agent answers from now on. Raises Conflict where somebody else does."""
    hand_off = locked(hand_off_id)
    if hand_off.agent == agent and hand_off.taken_at:
        return hand_off
    _move(hand_off.conversation, "take")
    hand_off.agent, hand_off.taken_at = agent, hand_off.taken_at or timezone.now()
    hand_off.save(update_fields=["agent", "taken_at"])
    notices.taken(hand_off)
    return hand_off


def say(hand_off_id: UUID, text: str, *, agent: str) -> Message:
    """What an agent writes to the customer. Raises Conflict where it is not theirs to answer."""
    hand_off = locked(hand_off_id)
    check_agent(hand_off, agent)
    Conversation.objects.filter(id=hand_off.conversation_id).update(updated_at=timezone.now())
    message: Message = Message.objects.create(
        conversation=hand_off.conversation, author=Message.Author.AGENT, agent=agent, text=text
    )
    notices.said(message)
    return message


def release(hand_off_id: UUID, *, agent: str) -> HandOff:
    """Back into the queue, for another agent."""
    hand_off = locked(hand_off_id)
    check_agent(hand_off, agent)
    _move(hand_off.conversation, "release")
    hand_off.agent = ""
    hand_off.save(update_fields=["agent"])
    return hand_off


def hand_back(hand_off_id: UUID, *, agent: str) -> HandOff:
    """The bot answers again."""
    return _leave(hand_off_id, "hand_back", agent)


def close(hand_off_id: UUID, *, agent: str) -> HandOff:
    """The conversation is over, until the customer writes again."""
    return _leave(hand_off_id, "close", agent)


def finish(conversation_id: UUID) -> None:
    """Close a conversation, whoever answers in it."""
    conversation = lock(conversation_id)
    hand_off = _open().filter(conversation=conversation).first()
    if hand_off:
        _end(hand_off)
    _move(conversation, "close")


def reopen(conversation: Conversation) -> None:
    _move(conversation, "reopen")


def queue(*, waiting: bool | None = None) -> QuerySet[HandOff]:
    """Open hand-offs: those that wait, those that have an agent, or all."""
    found = _open()
    if waiting is not None:
        state = State.WAITING if waiting else State.AGENT
        found = found.filter(conversation__state=state)
    return found


def lock(conversation_id: UUID) -> Conversation:
    """The conversation, and nobody else's to move in this transaction."""
    found: Conversation = Conversation.objects.select_for_update().get(id=conversation_id)
    return found


def _open() -> QuerySet[HandOff]:
    found: QuerySet[HandOff] = HandOff.objects.filter(ended_at=None).select_related("conversation")
    return found


def locked(hand_off_id: UUID) -> HandOff:
    """An open hand-off with its conversation locked. Raises Conflict where it has ended."""
    conversation_id = HandOff.objects.values_list("conversation_id", flat=True).get(id=hand_off_id)
    conversation = lock(conversation_id)
    hand_off: HandOff = HandOff.objects.get(id=hand_off_id)
    if hand_off.ended_at:
        raise Conflict(
            "This hand-off has ended; look for the conversation's next one.", code="ended"
        )
    hand_off.conversation = conversation
    return hand_off


def _leave(hand_off_id: UUID, move: str, agent: str) -> HandOff:
    hand_off = locked(hand_off_id)
    if hand_off.conversation.state == State.AGENT:
        check_agent(hand_off, agent)
    _end(hand_off)
    _move(hand_off.conversation, move)
    return hand_off


def _end(hand_off: HandOff) -> None:
    hand_off.ended_at = timezone.now()
    hand_off.save(update_fields=["ended_at"])
    notices.ended(hand_off)


def check_agent(hand_off: HandOff, agent: str) -> None:
    if hand_off.conversation.state != State.AGENT or hand_off.agent != agent:
        who = hand_off.agent or "nobody yet"
        raise Conflict(f"The conversation is answered by {who}; take it first.", code="not_yours")


def _move(conversation: Conversation, move: str) -> None:
    after = MOVES[move].get(conversation.state)
    if after is None:
        raise Conflict(
            f"The conversation is in the state '{conversation.state}', and '{move}' does not follow "
            "that.",
            code="wrong_state",
        )
    conversation.state, conversation.updated_at = after, timezone.now()
    conversation.save(update_fields=["state", "updated_at"])
    notices.moved(conversation)
    if after == State.CLOSED:
        notices.closed(conversation)
