"""A customer says something: the bot answers it, or it goes to the person who does."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from uuid import UUID, uuid4

from saas import language_model
from saas.billing import quota, usage
from saas.billing.models import Kind
from saas.chat import (
    acting,
    answers,
    composition,
    conversations,
    decisions,
    followups,
    handoffs,
    products,
    talk,
    triage,
)
from saas.chat.answers import Answer, Draft, Question
from saas.chat.composition import Composed
from saas.chat.generation import Terms
from saas.chat.models import Conversation
from saas.chat.talk import Asked, Talk
from saas.chat.triage import Wanted

State = Conversation.State
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
    widget: UUID | None = None

    def asked(self) -> Asked:
        """In its conversation, or in a new one."""
        return Asked(
            self.conversation_id or uuid4(),
            self.text,
            self.language,
            customer=self.customer,
            product=self.product,
            audience=self.audience,
            widget=self.widget,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it: the answer, or none while a person answers.

    `message_id` is the answer's, or else that of the customer's own message.
    """

    conversation_id: UUID
    message_id: UUID
    state: str
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Started:
    """The bot is at it; `message_id` is its answer's to be."""

    conversation_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Delta:
    """The next part of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """Everything is stored; `result` is what the caller made of it."""

    result: T


@dataclass(frozen=True, slots=True)
class Turn(Generic[T]):
    """A customer's message on its way through the bot.

    `scope` opens a transaction of the tenant's: none is held open while a model works. `begin` and
    `end` run in the one that stores.
    """

    said: Said
    scope: Callable[[], AbstractContextManager[object]]
    api_key: UUID | None
    begin: Callable[[], None]
    end: Callable[[Told], T]

    def say(self) -> T:
        """Answer, store and meter the message. Raises Problem, and Conversation.DoesNotExist."""
        for event in self.events():
            if isinstance(event, Done):
                return event.result
        raise AssertionError  # the last event is Done

    def events(self) -> Generator[Started | Delta | Done[T]]:
        """The same step by step; what a person answers is not billed.

        It is to be read to its end. Whatever ends it before gives back what was reserved.
        """
        with self.scope():
            asked, state = self._placed()
            passed = self._passed(asked, state)
            if not passed:
                before = self._before(asked)
                plan = answers.plan(asked.conversation_id)
                hold = quota.reserve(Kind.CHAT)
        if passed:
            yield passed
            return
        try:
            message_id = uuid4()
            yield Started(asked.conversation_id, message_id)
            readings = plan.read(followups.readings(asked.text, before.question))
            asked = replace(asked, sentiment=readings[0].sentiment(plan))
            wish = products.wish(readings[-1].text)
            with self.scope():
                draft, wanted = triage.decide(
                    asked, plan=plan, talk=before, readings=readings, wish=wish
                )
            read_as = draft.reading
            draft = decisions.rerank(acting.carry_out(draft), read_as.text)
            terms = self._terms(draft, asked.conversation_id)
            composed = Composed(draft.answer)
            question = Question(read_as.text, plan, read_as.vectors)
            for part in composition.complete(draft, question, terms):
                if isinstance(part, Composed):
                    composed = part
                else:
                    yield Delta(part)
            with self.scope():
                self.begin()
                composition.settle(composed, terms)
                told = self._store(asked, message_id, composed, wanted, hold)
                result = self.end(told)
        except BaseException:
            with self.scope():
                quota.cancel(hold)
            raise
        yield Done(result)

    def _terms(self, draft: Draft, conversation_id: UUID) -> Terms | None:
        """On which a language model may compose; a transaction is opened only where there is one."""
        if not draft.passages or not language_model.is_set():
            return None
        with self.scope():
            return composition.prepare(draft, draft.reading.text, conversation_id)

    def _placed(self) -> tuple[Asked, str]:
        """In its conversation or the one that this was merged into, and that one's state."""
        asked, state = self.said.asked(), str(State.BOT)
        if self.said.conversation_id:
            state = conversations.state_of(asked.conversation_id)
        if state == State.CLOSED:
            asked = replace(asked, conversation_id=conversations.current(asked.conversation_id))
            state = conversations.state_of(asked.conversation_id)
        return asked, state

    def _passed(self, asked: Asked, state: str) -> Done[T] | None:
        """On to the person who answers, or will: the bot is silent. Else None."""
        if state not in handoffs.WITH_PEOPLE:
            return None
        self.begin()
        return Done(self.end(_pass_on(asked, state)))

    def _before(self, asked: Asked) -> Talk:
        return talk.read(asked.conversation_id) if self.said.conversation_id else Talk()

    def _store(
        self,
        asked: Asked,
        message_id: UUID,
        composed: Composed,
        wanted: Wanted | None,
        hold: quota.Hold,
    ) -> Told:
        new = self.said.conversation_id is None
        if not new:
            conversation = handoffs.lock(asked.conversation_id)
            if conversation.state == State.CLOSED:  # merged, maybe, since a moment ago
                conversation = handoffs.lock(conversations.current(conversation.id))
                asked = replace(asked, conversation_id=conversation.id)
            if conversation.state in handoffs.WITH_PEOPLE:  # since a moment ago
                quota.cancel(hold)
                return _pass_on(asked, conversation.state)
            if conversation.state == State.CLOSED:
                handoffs.reopen(conversation)
        conversations.store(asked, composed, message_id=message_id, new=new)
        if wanted:
            handoffs.request(asked.conversation_id, reason=wanted.reason, priority=wanted.priority)
        usage.record(key=f"message:{message_id}", kind=Kind.CHAT, api_key=self.api_key)
        quota.settle(hold)
        state = State.WAITING if wanted else State.BOT
        return Told(asked.conversation_id, message_id, state, composed.answer)


def _pass_on(asked: Asked, state: str) -> Told:
    message_id = conversations.pass_on(asked.conversation_id, asked.text)
    return Told(asked.conversation_id, message_id, state, None)
