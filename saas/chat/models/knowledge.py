"""What a tenant's bot knows, and what it says by itself."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
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
    `vector` is float16[d] of `encoder`, and `sentences` is float16[n, d] of the answer's by the same;
    `spans` says where each begins and ends. `tuned` is the vector of `space`, the live tuned model's.
    One that gives orders to language models is `suspect`, and no language model reads it until it is
    released.
    By one that is `taught_by` somebody an answer of the bot was set right: it must answer from then on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    question = models.TextField()
    answer = models.TextField()
    language = models.CharField(max_length=2, blank=True)
    source = models.CharField(max_length=200, blank=True)
    taught_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    document = models.ForeignKey(
        Document, null=True, on_delete=models.CASCADE, related_name="parts", db_index=False
    )
    page = models.PositiveIntegerField(null=True)
    since = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    suspect = models.BooleanField(default=False)
    released_by = models.CharField(max_length=128, blank=True)
    released_at = models.DateTimeField(null=True)
    vector = models.BinaryField(null=True, editable=False)
    sentences = models.BinaryField(null=True, editable=False)
    spans = ArrayField(models.PositiveIntegerField(), default=list, editable=False)
    encoder = models.CharField(max_length=120, blank=True, editable=False)
    tuned = models.BinaryField(null=True, editable=False)
    space = models.CharField(max_length=140, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="passage_once")]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "id"], name="passage_by_age"),
            models.Index(fields=["tenant", "document", "seen"], name="passage_of_document"),
            models.Index(
                fields=["tenant", "-created_at", "id"],
                condition=models.Q(suspect=True),
                name="passage_suspect",
            ),
        ]

    def __str__(self) -> str:
        return self.question[:60]

    @property
    def is_held(self) -> bool:
        """Whether no language model may read it."""
        return self.suspect and self.released_at is None


class FaqProposal(TenantModel):
    """A question that agents answered, with the latest answer, proposed for the knowledge.

    `count` is how often it was asked, in whatever words, in the conversations `sources`.
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
