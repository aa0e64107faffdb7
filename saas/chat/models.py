from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Reply(TenantModel):
    """The tenant's approved reply to an intent in a language."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=140, editable=False, help_text="intent and language")
    intent = models.CharField(max_length=128)
    language = models.CharField(max_length=2)
    text = models.TextField()
    title = models.CharField(max_length=80, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="reply_once")]

    def __str__(self) -> str:
        return self.name


class Action(TenantModel):
    """The tenant's own endpoint that answers an intent with live data, and what it has to be told.

    `slots` and `answer` are as `saas.chat.actions` writes them; `secret` is sealed
    (`saas.webhooks.signing`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    intent = models.CharField(max_length=128)
    url = models.CharField(max_length=500)
    slots = models.JSONField(default=list)
    answer = models.JSONField(default=dict)
    timeout = models.FloatField(help_text="seconds")
    secret = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "intent"], name="action_once")]

    def __str__(self) -> str:
        return self.intent


class Applicable(models.Model):
    """To which product and whom knowledge is for, and from and until which day; empty for all.

    Of a product: matched without case. Of an audience: shown to nobody else.
    """

    product = models.CharField(max_length=128, blank=True)
    audience = models.CharField(max_length=128, blank=True)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)

    class Meta:
        abstract = True


class Document(TenantModel, Applicable):
    """A file or a web page of the tenant's knowledge, read into passages by a worker.

    A page has its `url`, the `sitemap` that named it, if one did, and the format as a file's `suffix`;
    a sitemap is a document too, which names itself and has no passages. Readings are counted by
    `readings`; `version` is the one whose passages answer, 0 before there is any. `digest` names the
    content.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        READING = "reading"
        READY = "ready"
        FAILED = "failed"

    OPEN: ClassVar = (State.QUEUED, State.READING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, editable=False)
    size = models.PositiveBigIntegerField(help_text="bytes")
    url = models.TextField(blank=True)
    sitemap = models.TextField(blank=True)
    suffix = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=2, blank=True)
    version = models.PositiveIntegerField(default=0)
    readings = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    error = models.TextField(blank=True)
    pages = models.PositiveIntegerField(null=True, help_text="of those that have any")
    pages_read = models.PositiveIntegerField(default=0)
    passages = models.PositiveIntegerField(default=0)
    suspects = models.PositiveIntegerField(default=0, help_text="passages among them")
    lease_until = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="document_once")]
        indexes = [models.Index(fields=["tenant", "-updated_at", "id"], name="document_by_age")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_sitemap(self) -> bool:
        return bool(self.url) and self.url == self.sitemap

    def named(self) -> models.QuerySet[Document]:
        """The pages that a sitemap named; none of another document."""
        own = Document.objects.filter(sitemap=self.url).exclude(id=self.id)
        return own if self.is_sitemap else own.none()

    @property
    def progress(self) -> float | None:
        """How much of it has been read, 0..1; None where that is not known."""
        if self.state == Document.State.READY:
            return 1.0
        return self.pages_read / self.pages if self.pages else None


class Passage(TenantModel, Applicable):
    """A piece of knowledge: a question and its answer, or a part of a document below its heading.

    One of a document answers from its reading `since` on; `seen` is the last reading that had it.
    `vector` is float16[d] of `encoder`; `tuned` is that of `space`, the live tuned model's. One that
    gives orders to language models is `suspect`, and no language model reads it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    question = models.TextField()
    answer = models.TextField()
    language = models.CharField(max_length=2, blank=True)
    source = models.CharField(max_length=200, blank=True)
    document = models.ForeignKey(
        Document, null=True, on_delete=models.CASCADE, related_name="parts", db_index=False
    )
    page = models.PositiveIntegerField(null=True)
    since = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    suspect = models.BooleanField(default=False)
    vector = models.BinaryField(null=True, editable=False)
    encoder = models.CharField(max_length=120, blank=True, editable=False)
    tuned = models.BinaryField(null=True, editable=False)
    space = models.CharField(max_length=140, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="passage_once")]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "id"], name="passage_by_age"),
            models.Index(fields=["tenant", "document", "seen"], name="passage_of_document"),
        ]

    def __str__(self) -> str:
        return self.question[:60]


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
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "-updated_at", "id"], name="conversation_by_age"),
            models.Index(
                fields=["tenant", "transcript"],
                condition=~models.Q(transcript=""),
                name="conversation_by_transcript",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Message(TenantModel):
    """One message. What the bot based its answer on stands with the answer.

    So does what it took the question for, where that was `understood` from the one before, and what
    the next message may answer: `options` to choose from, or the `form` it asks to fill
    (`saas.chat.forms`).
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
    agent = models.CharField(max_length=128, blank=True)
    intent = models.CharField(max_length=128, blank=True)
    confidence = models.FloatField(null=True)
    sources = models.JSONField(default=list)
    citations = models.JSONField(default=list)
    composition = models.JSONField(null=True, help_text="how a language model took part")
    understood = models.TextField(blank=True)
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


class HandOff(TenantModel):
    """A conversation's way to a person: why, how urgent, and how long each step of it took.

    It is open until `ended_at`; a conversation has one open hand-off at most.
    """

    class Reason(models.TextChoices):
        ASKED = "asked"
        UNSURE = "unsure"
        RULE = "rule"
        SAFETY = "safety"
        CALL = "call"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="hand_offs", db_index=False
    )
    reason = models.CharField(max_length=10, choices=Reason.choices)
    note = models.TextField(blank=True)
    priority = models.PositiveSmallIntegerField(default=0)
    agent = models.CharField(max_length=128, blank=True)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    taken_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation"],
                condition=models.Q(ended_at=None),
                name="one_open_hand_off",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-priority", "requested_at"], name="hand_off_queue")
        ]

    def __str__(self) -> str:
        return f"{self.reason}, {self.priority}"


class HandOffPolicy(TenantModel):
    """When a tenant's conversations go to a person by themselves, and when people are there.

    `hours` has for a weekday (mon … sun) the times from and to, in `timezone`; none at all: always.
    `rules` raise what they name to a priority, and hand it off.
    """

    unsure_after = models.PositiveSmallIntegerField(default=3)
    hours = models.JSONField(default=dict)
    timezone = models.CharField(max_length=64, default="UTC")
    rules = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_hand_off_policy")]

    def __str__(self) -> str:
        return f"after {self.unsure_after}"


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


class Prompt(TenantModel):
    """What a tenant tells the language model that composes its answers; versions count from 1."""

    version = models.PositiveIntegerField()
    text = models.TextField()
    author = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "version"], name="prompt_once")]
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="prompt_by_age")]

    def __str__(self) -> str:
        return f"version {self.version}"


class CompositionPolicy(TenantModel):
    """Whether, how and for how much a language model composes a tenant's answers."""

    enabled = models.BooleanField(default=True)
    prompt = models.PositiveIntegerField(null=True, help_text="the version that is used")
    tokens_an_answer = models.PositiveIntegerField()
    tokens_a_month = models.PositiveBigIntegerField(null=True)
    cost_a_month = models.DecimalField(max_digits=12, decimal_places=2, null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_composition_policy")]

    def __str__(self) -> str:
        return "on" if self.enabled else "off"


class Spending(TenantModel):
    """What a tenant's composed answers took in a month, what is under way included."""

    month = models.DateField()
    tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "month"], name="spending_once")]

    def __str__(self) -> str:
        return f"{self.month}: {self.tokens}"


class SafetyPolicy(TenantModel):
    """What a tenant's bot does with messages of each kind that it could refuse (`saas.chat.safety`)."""

    rules = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_safety_policy")]

    def __str__(self) -> str:
        return "safety"


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


class FaqProposal(TenantModel):
    """A question that agents answered, with the latest answer, proposed for the knowledge.

    `count` is how often it was asked in nearly the same words, in the conversations `sources`.
    `passage` is what the knowledge may say about it already; of an accepted one what it became.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    question = models.TextField()
    answer = models.TextField()
    language = models.CharField(max_length=2)
    count = models.PositiveIntegerField()
    sources = models.JSONField(default=list)
    passage = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="faq_proposal_once")
        ]
        indexes = [models.Index(fields=["tenant", "-count", "id"], name="faq_proposal_by_count")]

    def __str__(self) -> str:
        return self.question[:60]
