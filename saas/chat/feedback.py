"""What customers say of answers and conversations."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from saas.chat import notices
from saas.chat.models import Conversation, Feedback, Message, Rating


def give(message_id: UUID, *, helpful: bool, comment: str) -> Feedback:
    """Keep what a customer thinks of an answer, in place of what they thought before.

    Raises Message.DoesNotExist where the current tenant has no such answer of the bot.
    """
    answer = Message.objects.get(id=message_id, author=Message.Author.BOT)
    given, _ = Feedback.objects.update_or_create(
        message=answer,
        defaults={"helpful": helpful, "comment": comment, "given_at": timezone.now()},
    )
    notices.judged(given)
    found: Feedback = given
    return found


def rate(conversation_id: UUID, *, score: int, comment: str) -> Rating:
    """Keep how satisfied a customer is, in place of an earlier rating.

    Raises Conversation.DoesNotExist.
    """
    conversation = Conversation.objects.get(id=conversation_id)
    given, _ = Rating.objects.update_or_create(
        conversation=conversation,
        defaults={"score": score, "comment": comment, "given_at": timezone.now()},
    )
    notices.rated(given)
    found: Rating = given
    return found
