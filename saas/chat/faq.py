"""Questions that people had to answer, proposed for the knowledge; a person accepts or dismisses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ml import personal
from ml.language import language_of
from saas import engine
from saas.chat import conversations, handoffs, knowledge, retrieval
from saas.chat.models import FaqProposal, HandOff, Message, Passage, Rating
from saas.errors import Conflict
from saas.training import store
from tenants import audit
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.types import Vectors

DAY, SINCE = timedelta(days=1), timedelta(days=90)
MOST = 2_000  # conversations, the latest
CLOSED = 1_000  # proposals that were decided, the latest: what is like them is not proposed again
ALIKE = 0.97  # cosine from which two questions ask the same
SHORTEST = 12  # bytes: four Chinese characters; "hello?" is no question for the knowledge
LONGEST = 2_000, 20_000  # characters of a question and of an answer, as a passage has them
SOURCES = 20
State, Author = FaqProposal.State, Message.Author


@dataclass(frozen=True, slots=True)
class Pair:
    """What a customer asked and an agent answered, without personal data."""

    question: str
    answer: str
    conversation: UUID


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs whose questions are nearly the same, the latest first, and its vector, float32[d]."""

    vector: Vectors
    pairs: list[Pair]


def ended() -> QuerySet[HandOff]:
    """Hand-offs that an agent had and ended, the latest first."""
    found: QuerySet[HandOff] = HandOff.objects.filter(ended_at__gte=timezone.now() - SINCE)
    return found.exclude(agent="").order_by("-ended_at")


def is_due() -> bool:
    return ended().filter(ended_at__gte=timezone.now() - DAY).exists()


def read() -> tuple[list[Pair], list[str]]:
    """Pairs of conversations that ended well, the latest first, and questions that were decided."""
    poor = Rating.objects.filter(score__lte=2).values("conversation")
    ids = ended().exclude(conversation__in=poor).values_list("conversation_id", flat=True)
    order = {id_: place for place, id_ in enumerate(dict.fromkeys(ids[:MOST]))}
    said = conversations.unrefused(Message.objects.filter(conversation__in=order))
    in_order = said.order_by("conversation", "created_at").iterator()
    talks = groupby(in_order, key=lambda message: message.conversation_id)
    pairs = [pair for _, messages in talks for pair in _pairs(messages)]
    closed = FaqProposal.objects.exclude(state=State.OPEN).order_by("-created_at")
    return (
        sorted(pairs, key=lambda pair: order[pair.conversation]),
        list(closed.values_list("question", flat=True)[:CLOSED]),
    )


def group(pairs: Sequence[Pair], decided: Sequence[str]) -> list[Group]:
    """The pairs by what they ask, without what was decided. Encodes: no scope is open."""
    engine.background()  # the search will want it, within a transaction
    if not pairs:
        return []
    vectors = engine.encode_all([*(pair.question for pair in pairs), *decided], "query")
    known = vectors[len(pairs) :]
    groups: list[Group] = []
    for pair, vector in zip(pairs, vectors, strict=False):
        if len(known) and float((known @ vector).max()) >= ALIKE:
            continue
        near = max(groups, key=lambda one: float(one.vector @ vector), default=None)
        if near is None or float(near.vector @ vector) < ALIKE:
            near = Group(vector, [])
            groups.append(near)
        near.pairs.append(pair)
    return groups


def keep(groups: Sequence[Group]) -> None:
    """In place of the open ones."""
    FaqProposal.objects.filter(state=State.OPEN).delete()
    made = [_proposal(one) for one in groups]
    FaqProposal.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)


def accept(proposal: FaqProposal, row: knowledge.PassageRow, *, actor: str) -> None:
    """Write it into the knowledge, as it was edited. Raises Conflict where it was decided."""
    _close(proposal, State.ACCEPTED, actor=actor)
    knowledge.write([row])
    proposal.passage = Passage.objects.get(digest=knowledge.digest(row.question)).id
    proposal.save(update_fields=["state", "passage"])


def dismiss(proposal: FaqProposal, *, actor: str) -> None:
    """Never propose it again. Raises Conflict where it was decided."""
    _close(proposal, State.DISMISSED, actor=actor)
    proposal.save(update_fields=["state"])


def start() -> None:
    """Have them found anew in the background."""
    from saas.chat.tasks import propose

    transaction.on_commit(partial(propose.delay, str(current_tenant_id())), robust=True)


def _pairs(messages: Iterable[Message]) -> Iterator[Pair]:
    """A customer's last question before an agent wrote, and what that wrote until the next one."""
    asked, answered = "", list[str]()
    for message in messages:
        if message.author == Author.CUSTOMER:
            if answered:
                yield from _pair(asked, answered, message.conversation_id)
                asked, answered = "", []
            if _asks(message.text):
                asked = message.text
        elif message.author == Author.AGENT and asked:
            answered.append(message.text)
    if answered:
        yield from _pair(asked, answered, message.conversation_id)


def _pair(asked: str, answered: list[str], conversation: UUID) -> Iterator[Pair]:
    question, answer = (personal.redact(t).strip() for t in (asked, "\n".join(answered)))
    fits = len(question) <= LONGEST[0] and len(answer) <= LONGEST[1]
    if question and answer and fits and not answer.endswith(("?", "？")):  # it asks in return
        yield Pair(question, answer, conversation)


def _asks(text: str) -> bool:
    return len(text.strip().encode()) >= SHORTEST and not handoffs.wants(text, offered=True)


def _proposal(found: Group) -> FaqProposal:
    latest = found.pairs[0]
    serving = store.serving("intent", rows=knowledge.NAME, encoder=engine.fingerprint())
    near = retrieval.search(
        latest.question,
        found.vector[None, :],
        1,
        revision=serving.revision,
    )
    sources = dict.fromkeys(str(pair.conversation) for pair in found.pairs)
    return FaqProposal(
        digest=knowledge.digest(latest.question),
        question=latest.question,
        answer=latest.answer,
        language=language_of(latest.question),
        count=len(found.pairs),
        sources=list(sources)[:SOURCES],
        passage=near[0].id if near and near[0].relevant else None,
    )


def _close(proposal: FaqProposal, state: str, *, actor: str) -> None:
    if proposal.state != State.OPEN:
        raise Conflict(f"The proposal is {proposal.state} already.", code="proposal_closed")
    proposal.state = state
    audit.record(actor=actor, action=f"faq_proposal.{state}", target=str(proposal.id))
