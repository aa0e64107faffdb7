"""What an agent says of an answer of the bot: what was meant, or what would have been right."""

from __future__ import annotations

from uuid import UUID

from ml.language import language_of
from ml.personal import redact
from saas.chat import conversations, expectations, knowledge
from tenants import audit


def intent(answer_id: UUID, name: str, *, actor: str) -> None:
    """A training example, on which later models are tested too. Raises Message.DoesNotExist."""
    conversations.correct(answer_id, name, actor=actor)


def answer(answer_id: UUID, text: str, *, actor: str) -> None:
    """From now on the knowledge answers the customer's question so, without their personal data.

    Later versions are asked it too. Raises Message.DoesNotExist.
    """
    question = redact(conversations.asked_before(answer_id).text)
    row = knowledge.PassageRow(
        question=question, answer=redact(text), language=language_of(question)
    )
    knowledge.write([row])
    expectations.write(question, actor=actor)
    audit.record(actor=actor, action="answer.corrected", target=str(answer_id))
