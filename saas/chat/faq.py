"""Questions that people had to answer, proposed for the knowledge; a person accepts or dismisses them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from ml import personal
from ml.language import language_of
from saas import engine, workers
from saas.chat import conversations, followups, knowledge, retrieval, triage
from saas.chat.models import FaqProposal, HandOff, Message, Passage, Rating
from saas.errors import Conflict
from saas.training import store
from tenants import audit
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.types import Vectors

DAY, SINCE = timedelta(days=1), timedelta(days=90)
MOST = 2_000  # conversations, the latest, and pairs out of them
CLOSED = 1_000  # proposals that were decided, the latest: what is like them is not proposed again
SHORTEST = 12  # bytes: four Chinese characters; "hello?" is no question for the knowledge
LONGEST = 2_000, 20_000  # characters of a question and of an answer, as a passage has them
SOURCES = 20
State, Author = FaqProposal.State, Message.Author


@dataclass(frozen=True, slots=True)
class Pair:
    """What a customer asked and an agent answered, without personal data, and where that stands."""

    question: str
    answer: str
    source: UUID


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs whose questions ask the same, the latest first, and the vector of its, float32[d]."""

    vector: Vectors
    pairs: list[Pair]


def ended() -> QuerySet[HandOff]:
    """Hand-offs that an agent had and ended, the latest first."""
    found: QuerySet[HandOff] = HandOff.objects.filter(ended_at__gte=timezone.now() - SINCE)
    return found.exclude(agent="").order_by("-ended_at")


def is_due() -> bool:
    return ended().filter(ended_at__gte=timezone.now() - DAY).exists()


def read() -> tuple[list[Pair], list[Pair]]:
    """Pairs of conversations that ended well, the latest first, and those that were decided."""
    poor = Rating.objects.filter(score__lte=2).values("conversation")
    ids = ended().exclude(conversation__in=poor).values_list("conversation_id", flat=True)
    order = {id_: place for place, id_ in enumerate(dict.fromkeys(ids[:MOST]))}
    said = conversations.unrefused(Message.objects.filter(conversation__in=order))
    in_order = said.order_by("conversation", "created_at").iterator()
    talks = groupby(in_order, key=lambda message: message.conversation_id)
    pairs = [pair for _, messages in talks for pair in _pairs(messages)]
    closed = FaqProposal.objects.exclude(state=State.OPEN).order_by("-created_at")
    decided = closed.values_list("question", "answer", "id")[:CLOSED]
    pairs.sort(key=lambda pair: order[pair.source])
    return pairs[:MOST], [Pair(*row) for row in decided]


def group(pairs: Sequence[Pair], decided: Sequence[Pair]) -> list[Group]:
    """The pairs by what they ask, without what was decided. Encodes: no scope is open."""
    from ml import sameness

    engine.background()  # the search will want it, within a transaction
    if not pairs:
        return []
    both = [*pairs, *decided]
    asked = engine.encode_all([pair.question for pair in both], "query")
    answered = engine.encode_all([pair.answer for pair in both], "query")
    named = [followups.named(pair.question) for pair in both]
    places = sameness.group(asked, answered, named).tolist()
    closed = set(places[len(pairs) :])
    groups: dict[int, Group] = {}
    for pair, vector, place in zip(pairs, asked, places, strict=False):
        if place not in closed:
            groups.setdefault(place, Group(vector, [])).pairs.append(pair)
    return list(groups.values())


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

    workers.queue(propose, str(current_tenant_id()))


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
    return len(text.strip().encode()) >= SHORTEST and not triage.wants(text, offered=True)


def _proposal(found: Group) -> FaqProposal:
    from ml.retrieval import Question

    latest = found.pairs[0]
    serving = store.serving("intent", rows=knowledge.NAME, encoder=engine.fingerprint())
    near = retrieval.search(Question(latest.question, found.vector), 1, live=serving)
    sources = dict.fromkeys(str(pair.source) for pair in found.pairs)
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
