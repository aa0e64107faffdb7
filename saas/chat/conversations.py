"""Conversations and their messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from saas.chat import notices, safety
from saas.chat.models import Conversation, HandOff, Message
from saas.errors import Conflict
from saas.training import corrections

if TYPE_CHECKING:
    from saas.chat.composition import Composed
    from saas.chat.talk import Asked
    from saas.training.models import Correction


@dataclass(frozen=True, slots=True)
class Line:
    """Who said what."""

    author: str
    text: str


def last_lines(conversation_id: UUID, most: int) -> list[Line]:
    """The newest so many messages of a conversation, the oldest of them first; none of a new one."""
    said = Message.objects.filter(conversation_id=conversation_id).order_by("-created_at")
    return [Line(*row) for row in reversed(said.values_list("author", "text")[:most])]


def texts(most: int) -> list[str]:
    """What the current tenant's customers wrote and the bot did not refuse, the newest so many."""
    asked = unrefused(Message.objects.filter(author=Message.Author.CUSTOMER))
    return list(asked.order_by("-created_at").values_list("text", flat=True)[:most])


def unrefused(messages: QuerySet[Message]) -> QuerySet[Message]:
    """Without what the bot refused to answer: nothing is to be learned from that."""
    later = Message.objects.filter(
        conversation=OuterRef("conversation"), created_at__gt=OuterRef("created_at")
    )
    answer = Subquery(later.order_by("created_at").values("kind")[:1])
    # Nothing comes after the last message: a null would be excluded too.
    known = messages.annotate(answered=Coalesce(answer, Value("")))
    return known.exclude(author=Message.Author.CUSTOMER, answered="refusal")


def asked_before(answer_id: UUID) -> Message:
    """The customer's message before an answer of the bot.

    Raises Message.DoesNotExist where the current tenant has no such answer.
    """
    answer = Message.objects.get(id=answer_id, author=Message.Author.BOT)
    asked: Message | None = (
        Message.objects.filter(
            conversation_id=answer.conversation_id,
            author=Message.Author.CUSTOMER,
            created_at__lte=answer.created_at,
        )
        .order_by("-created_at")
        .first()
    )
    if asked is None:
        raise Message.DoesNotExist
    return asked


def correct(answer_id: UUID, intent: str, *, actor: str) -> Correction:
    """Say what the customer's message before an answer of the bot really meant.

    Raises Message.DoesNotExist where the current tenant has no such answer.
    """
    asked = asked_before(answer_id)
    guessed = Message.objects.values_list("intent", flat=True).get(id=answer_id)
    return corrections.write(asked.text, intent, guessed=guessed, actor=actor)


def state_of(conversation_id: UUID) -> str:
    """Raises Conversation.DoesNotExist where the current tenant has no such conversation."""
    found: str = Conversation.objects.values_list("state", flat=True).get(id=conversation_id)
    return found


def current(conversation_id: UUID) -> UUID:
    """Where it goes on: in the conversation that it was merged into, or in itself."""
    passed: list[UUID] = []
    while conversation_id not in passed:
        passed.append(conversation_id)
        ended = HandOff.objects.filter(
            conversation_id=conversation_id, conversation__state=Conversation.State.CLOSED
        )
        to = ended.order_by("-requested_at").values_list("merged_into__conversation", flat=True)
        conversation_id = to.first() or conversation_id
    return conversation_id


def parts(conversation_id: UUID) -> list[UUID]:
    """It, and those that were merged into it."""
    found = [conversation_id]
    for one in found:
        merged = HandOff.objects.filter(merged_into__conversation=one)
        new = merged.exclude(conversation__in=found).values_list("conversation_id", flat=True)
        found += dict.fromkeys(new)
    return found


def of(customer: str) -> QuerySet[Conversation]:
    """A customer's own ones."""
    found: QuerySet[Conversation] = Conversation.objects.filter(customer=customer)
    return found


def begin(customer: str, *, language: str) -> UUID:
    """A conversation in which nothing has been said yet."""
    made: Conversation = Conversation.objects.create(customer=customer, language=language)
    found: UUID = made.id
    return found


def adopt(anonymous: str, *, customer: str) -> int:
    """Somebody turned out to be this customer: what they said before is the customer's."""
    return of(anonymous).update(customer=customer)


def reach(conversation_id: UUID, *, contact: dict[str, str]) -> None:
    """Keep by what name and e-mail address a customer wants to be reached."""
    Conversation.objects.filter(id=conversation_id).update(contact=contact)


def at(transcript: str, *, customer: str) -> UUID | None:
    """The customer's latest conversation of which exactly this was said (a digest of it), if any.

    Where there are more, nothing tells them apart: each is gone on with by whoever comes first.
    """
    found = Conversation.objects.filter(transcript=transcript, customer=customer)
    known: UUID | None = found.order_by("-updated_at").values_list("id", flat=True).first()
    return known


def go_on(conversation_id: UUID, *, transcript: str) -> None:
    """Take a conversation found by its transcript; raises Conflict where another has done so."""
    found = Conversation.objects.filter(id=conversation_id, transcript=transcript)
    if not found.update(transcript=""):
        raise Conflict("The conversation went on meanwhile. Ask again.", code="went_on")


def stand(conversation_id: UUID, *, transcript: str) -> None:
    """Say where a conversation stands, to be found by it."""
    Conversation.objects.filter(id=conversation_id).update(transcript=transcript)


def pass_on(conversation_id: UUID, text: str) -> UUID:
    """Keep what a customer says to a person; the message's id."""
    found: UUID = receive(conversation_id, text).id
    return found


def receive(conversation_id: UUID, text: str) -> Message:
    """Keep what a customer says and the bot does not answer; it wakes what an agent has snoozed."""
    HandOff.objects.filter(conversation_id=conversation_id).update(snoozed_until=None)
    return _say(conversation_id, Message.Author.CUSTOMER, text)


def remark(conversation_id: UUID, text: str) -> Message:
    """Have the bot offer a person, unasked: who says yes to it is handed off."""
    return _say(conversation_id, Message.Author.BOT, text, kind="fallback")


def _say(conversation_id: UUID, author: str, text: str, *, kind: str = "") -> Message:
    now = timezone.now()
    Conversation.objects.filter(id=conversation_id).update(updated_at=now)
    message: Message = Message.objects.create(
        conversation_id=conversation_id, author=author, text=text, kind=kind, created_at=now
    )
    notices.said(message)
    return message


def store(asked: Asked, composed: Composed, *, message_id: UUID, new: bool) -> None:
    """Add a message and its answer, of this id, to a conversation; or begin it, where it is new."""
    answer, use = composed.answer, composed.use
    now = timezone.now()
    conversation_id = asked.conversation_id
    if new:
        Conversation.objects.create(
            id=conversation_id, customer=asked.customer, language=asked.language
        )
    elif not Conversation.objects.filter(id=conversation_id).update(updated_at=now):
        raise Conversation.DoesNotExist
    question = Message(
        conversation_id=conversation_id,
        author=Message.Author.CUSTOMER,
        text=asked.text,
        sentiment=asked.sentiment,
        created_at=now,
    )
    answered = Message(
        id=message_id,
        conversation_id=conversation_id,
        author=Message.Author.BOT,
        text=answer.text,
        kind=answer.kind,
        intent=answer.intent or "",
        confidence=answer.confidence,
        sources=[source.as_json() for source in answer.sources],
        citations=[citation.as_json() for citation in answer.citations],
        composition=use.as_json() if use else None,
        understood=answer.understood,
        options=answer.options,
        items=answer.items,
        form=answer.form,
        model_version=answer.model_version,
        created_at=timezone.now(),
    )
    Message.objects.bulk_create([question, answered])
    notices.said(question, answered)
    if answer.refused:
        safety.log(answer.refused, message_id)
