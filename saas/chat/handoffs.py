"""From the bot to a person and back: the states of a conversation, and what each step may follow.

    bot ──request──▶ waiting ──take──▶ agent
     ▲ ◀──hand back──┘  ▲ ◀──release──┘ │
     └──────────── hand back ───────────┘      from each of them ──close──▶ closed ──write──▶ bot

While a conversation waits for a person or has one, the bot is silent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from saas.chat import answers, decisions, notices, policy, safety, smalltalk
from saas.chat.answers import Answer
from saas.chat.models import Conversation, HandOff, Message
from saas.chat.products import Wish
from saas.chat.talk import Asked, Talk
from saas.errors import Conflict

State, Reason = Conversation.State, HandOff.Reason
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
# Short messages that ask for a person, and those that accept the offer of one.
ASKS = re.compile(
    r"转.{0,4}人工|人工(客服|服务|坐席)?$|^人工(客服|服务|坐席)|真人|找.{0,3}(客服|人工)|"
    r"^(a |an )?(human|representative|operator|agent)( please| agent)?$|"
    r"\b(speak|talk|chat|connect me) (to|with) (a |an )?(human|representative|operator)\b|"
    r"\b(speak|talk|chat) (to|with) (a |an |some)?(real )?(person|someone|somebody|agent)\b|"
    r"\b(real|live) (person|agent)\b",
    re.IGNORECASE,
)
ACCEPTS = re.compile(
    r"(yes|yes,? please|please( do)?|ok|okay|sure|do (it|that))|好的?|可以|是的?|行|嗯+|要|需要|好啊",
    re.IGNORECASE,
)
LONGEST = 60  # characters: who writes more has a question, and may speak of people in it


def wants(text: str, *, offered: bool) -> bool:
    """Whether a message asks for a person, or accepts the offer that the bot made before it."""
    plain = text.strip(" .!?。！？~～")
    if len(plain) > LONGEST or smalltalk.kind_of(plain) == "who_are_you":
        return False
    return bool(ASKS.search(plain) or (offered and ACCEPTS.fullmatch(plain)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Why, and how urgently, a person should answer."""

    reason: str
    priority: int


def decide(
    asked: Asked,
    *,
    plan: answers.Plan,
    talk: Talk,
    readings: list[answers.Reading],
    wish: Wish | None,
) -> tuple[answers.Draft, Wanted | None]:
    """What answers a message; or that a person takes over, and why."""
    set_ = policy.get()
    itself = readings[0]
    if wants(asked.text, offered=talk.kind == "fallback"):
        found, wanted, reading = None, Wanted(Reason.ASKED, URGENT), itself
    elif refused := safety.check(
        asked.text, plan.of(itself.vectors, None)[0], language=asked.language
    ):
        said = answers.refusing(refused, language=asked.language, open_=set_.is_open())
        priority = policy.HIGHEST if refused.kind == "self_harm" else URGENT
        due = Wanted(Reason.SAFETY, priority) if refused.action == "handoff" else None
        return answers.Draft(said, itself), due
    else:
        draft = decisions.decide(
            asked, plan=plan, talk=talk, readings=readings, wish=wish, policy=set_
        )
        due = _due(asked, draft.answer, set_)
        if due is None:
            return draft, None
        found, wanted, reading = draft.answer, due, draft.reading
    said = answers.handing_over(found, language=asked.language, open_=set_.is_open())
    return answers.Draft(said, reading), wanted


def _due(asked: Asked, found: Answer, set_: policy.Policy) -> Wanted | None:
    intent = found.intent if found.in_scope else None
    priority = set_.priority(intent=intent, audience=asked.audience, sentiment=asked.sentiment)
    if priority is not None:
        return Wanted(Reason.RULE, priority)
    if found.kind != "fallback" or not set_.unsure_after:
        return None
    before = owed(asked.conversation_id, set_.unsure_after)
    return Wanted(Reason.UNSURE, 0) if before + 1 >= set_.unsure_after else None


def owed(conversation_id: UUID, most: int) -> int:
    """How many of the bot's last answers in a row were none, counted up to `most`."""
    said = Message.objects.filter(conversation_id=conversation_id, author=Message.Author.BOT)
    kinds = list(said.order_by("-created_at").values_list("kind", flat=True)[:most])
    return next((place for place, kind in enumerate(kinds) if kind != "fallback"), len(kinds))


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
