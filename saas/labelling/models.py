from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models import TenantModel


class Job(TenantModel):
    """Work on the tenant's texts that takes longer than a call."""

    class Kind(models.TextChoices):
        DISCOVER = "discover"
        SELECT = "select"
        CHECK = "check"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    OPEN: ClassVar = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    texts = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    lease_until = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind"],
                condition=Q(state__in=["queued", "running"]),
                name="one_open_job_per_kind",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="job_by_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class Proposal(TenantModel):
    """A group of customers' turns that may be an intent, waiting for a person's word."""

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=128)
    keywords = models.JSONField(default=list)
    examples = models.JSONField(default=list, help_text="texts: typical, and unlike each other")
    replies = models.JSONField(default=dict, help_text="an agent's answer by language")
    quality = models.FloatField()
    size = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "-size", "id"], name="proposal_by_size")]

    def __str__(self) -> str:
        return self.name


class Turn(TenantModel):
    """One message of an imported conversation; a customer's is open until it has its label."""

    class Author(models.TextChoices):
        CUSTOMER = "customer"
        AGENT = "agent"
        BOT = "bot"

    class State(models.TextChoices):
        OPEN = "open"
        LABELLED = "labelled"
        DISPUTED = "disputed"
        SKIPPED = "skipped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    conversation = models.CharField(max_length=128)
    author = models.CharField(max_length=10, choices=Author.choices)
    text = models.TextField()
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    proposal = models.ForeignKey(
        Proposal, null=True, on_delete=models.SET_NULL, related_name="turns", db_index=False
    )
    typicality = models.FloatField(default=0)
    worth = models.FloatField(null=True, help_text="of a label: the higher, the sooner")
    suggestions = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="turn_once")]
        indexes = [
            models.Index(fields=["tenant", "conversation", "at"], name="turn_in_order"),
            models.Index(fields=["tenant", "proposal"], name="turn_of_proposal"),
            models.Index(fields=["tenant", "state", "-worth"], name="turn_by_worth"),
        ]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:40]}"


class Annotation(TenantModel):
    """What one annotator takes a turn for."""

    turn = models.ForeignKey(
        Turn, on_delete=models.CASCADE, related_name="annotations", db_index=False
    )
    annotator = models.CharField(max_length=128)
    intent = models.CharField(max_length=128)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "turn", "annotator"], name="annotation_once")
        ]

    def __str__(self) -> str:
        return f"{self.annotator}: {self.intent}"


class Finding(TenantModel):
    """Something that looks wrong about an example: its label, or that it stands there twice."""

    class Kind(models.TextChoices):
        LABEL = "label"
        DUPLICATE = "duplicate"

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    digest = models.CharField(max_length=32, editable=False, help_text="what was found, once")
    example = models.UUIDField()
    text = models.TextField()
    intent = models.CharField(max_length=128)
    other = models.TextField(help_text="the suggested intent, or the text that it repeats")
    score = models.FloatField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="finding_once")]
        indexes = [models.Index(fields=["tenant", "-score", "id"], name="finding_by_score")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.other[:40]}"
