"""What was said, and what was thought of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel
from tenants.visitors import VISITOR


class Conversation(TenantModel):
    """A customer's talk with the bot or, handed off, with a person (`saas.chat.handoffs`).

    `transcript` names all that was said, where it came by chat completions, whose clients know no id.
    """

    class State(models.TextChoices):
        BOT = "bot"
        WAITING = "waiting"
        AGENT = "agent"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.CharField(max_length=128, blank=True)
    language = models.CharField(max_length=2)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOT)
    transcript = models.CharField(max_length=64, blank=True, help_text="SHA-256")
    contact = models.JSONField(default=dict, help_text="name and email, where the widget asked")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "-updated_at", "id"], name="conversation_by_age"),
            models.Index(
                fields=["tenant", "customer", "-updated_at"],
                condition=~models.Q(customer=""),
                name="conversation_by_customer",
            ),
            models.Index(
                fields=["tenant", "transcript"],
                condition=~models.Q(transcript=""),
                name="conversation_by_transcript",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def name(self) -> str:
        """Whom it is with; "" for somebody on a page whom nobody has named."""
        named: str = self.contact.get("name") or self.customer
        return "" if named.startswith(VISITOR) else named


class Message(TenantModel):
    """One message. What the bot based its answer on stands with the answer.

    So does what it took the question for, where that was `understood` from the one before, and what
    the next message may answer: `options` to choose from, or the `form` it asks to fill
    (`saas.chat.forms`). `translation` is by machine, into the other language, where an agent wanted it.
    """

    class Author(models.TextChoices):
        CUSTOMER = "customer"
        BOT = "bot"
        AGENT = "agent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    author = models.CharField(max_length=10, choices=Author.choices)
    text = models.TextField()
    kind = models.CharField(max_length=10, blank=True)
    sentiment = models.CharField(
        max_length=10, blank=True, default="", db_default="", help_text="of who writes to the bot"
    )
    agent = models.CharField(max_length=128, blank=True)
    intent = models.CharField(max_length=128, blank=True)
    confidence = models.FloatField(null=True)
    sources = models.JSONField(default=list)
    citations = models.JSONField(default=list)
    composition = models.JSONField(null=True, help_text="how a language model took part")
    understood = models.TextField(blank=True)
    translation = models.TextField(blank=True, default="", db_default="")
    options = models.JSONField(default=list)
    items = models.JSONField(default=list)
    form = models.JSONField(default=dict)
    model_version = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "conversation", "created_at"], name="message_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:40]}"


class Feedback(TenantModel):
    """What a customer thinks of one answer of the bot."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="feedback", db_index=False
    )
    helpful = models.BooleanField()
    comment = models.TextField(blank=True)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "message"], name="feedback_once")]
        indexes = [models.Index(fields=["tenant", "-given_at", "id"], name="feedback_by_age")]

    def __str__(self) -> str:
        return "helpful" if self.helpful else "not helpful"


class Rating(TenantModel):
    """How satisfied a customer is with a whole conversation, 1 to 5 (CSAT)."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="ratings", db_index=False
    )
    score = models.PositiveSmallIntegerField()
    comment = models.TextField(blank=True)
    given_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "conversation"], name="rating_once")
        ]

    def __str__(self) -> str:
        return str(self.score)


class Refusal(TenantModel):
    """Why a customer's message was not answered; `message` is what the bot said instead."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="refusals", db_index=False
    )
    kind = models.CharField(max_length=20)
    reason = models.TextField()
    score = models.FloatField()
    action = models.CharField(max_length=10)
    refused_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "message"], name="refusal_once")]
        indexes = [models.Index(fields=["tenant", "-refused_at", "id"], name="refusal_by_age")]

    def __str__(self) -> str:
        return self.kind
