"""A customer says something: the bot answers it, or it goes to the person who does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID, uuid4

from saas.billing import quota, usage
from saas.billing.models import Kind
from saas.chat import answers, conversations, handoffs
from saas.chat.answers import Answer
from saas.chat.models import Conversation

if TYPE_CHECKING:
    from ml.types import Vectors

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Said:
    """What a customer says; without a conversation it begins one."""

    text: str
    language: str
    conversation_id: UUID | None = None
    customer: str = ""
    product: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it: the answer, or none while a person answers.

    `message_id` is the answer's, or else that of the customer's own message.
    """

    conversation_id: UUID
    message_id: UUID
    state: str
    answer: Answer | None


def say(
    said: Said,
    *,
    scope: Callable[[], AbstractContextManager[object]],
    api_key: UUID | None,
    begin: Callable[[], None],
    end: Callable[[Told], T],
) -> T:
    """Answer, store and meter one message; what a person answers is not billed.

    `scope` opens a transaction of the tenant's: none is held open while the encoder works. `begin`
    and `end` run in the one that stores. Raises Problem, and Conversation.DoesNotExist.
    """
    with scope():
        if said.conversation_id:
            state = conversations.state_of(said.conversation_id)
            if state in handoffs.WITH_PEOPLE:
                begin()
                return end(_pass_on(said.conversation_id, said.text, state))
        conversation_id = said.conversation_id or uuid4()
        plan = answers.plan(conversation_id)
        hold = quota.reserve(Kind.CHAT)
    try:
        vectors = plan.encode(said.text)
        with scope():
            begin()
            return end(_answer(said, conversation_id, plan, vectors, hold, api_key))
    except Exception:
        with scope():
            quota.cancel(hold)
        raise


def _answer(
    said: Said,
    conversation_id: UUID,
    plan: answers.Plan,
    vectors: Vectors,
    hold: quota.Hold,
    api_key: UUID | None,
) -> Told:
    if said.conversation_id:
        conversation = handoffs.lock(conversation_id)
        if conversation.state in handoffs.WITH_PEOPLE:  # since a moment ago
            quota.cancel(hold)
            return _pass_on(conversation_id, said.text, conversation.state)
        if conversation.state == Conversation.State.CLOSED:
            handoffs.reopen(conversation)
    asked = handoffs.Asked(
        *(conversation_id, said.text, said.language), product=said.product, audience=said.audience
    )
    answer, wanted = handoffs.answer(asked, plan=plan, vectors=vectors)
    message_id = conversations.store(
        conversation_id=conversation_id,
        new=said.conversation_id is None,
        customer=said.customer,
        text=said.text,
        language=said.language,
        answer=answer,
    )
    if wanted:
        handoffs.request(conversation_id, reason=wanted.reason, priority=wanted.priority)
    usage.record(key=f"message:{message_id}", kind=Kind.CHAT, api_key=api_key)
    quota.settle(hold)
    state = Conversation.State.WAITING if wanted else Conversation.State.BOT
    return Told(conversation_id, message_id, state, answer)


def _pass_on(conversation_id: UUID, text: str, state: str) -> Told:
    """A person answers, or will: the bot is silent."""
    message_id = conversations.pass_on(conversation_id, text)
    return Told(conversation_id, message_id, state, None)
