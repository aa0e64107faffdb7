from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models import TenantModel


class Kind(models.TextChoices):
    INTENT = "intent"
    RECOMMEND = "recommend"


class Example(TenantModel):
    """A text and the intent it stands for. One text has one intent: sent again, the later holds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    text = models.TextField()
    digest = models.CharField(max_length=32, editable=False)
    intent = models.CharField(max_length=128)
    language = models.CharField(max_length=2, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="example_text_once"),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="example_by_age")]

    def __str__(self) -> str:
        return f"{self.intent}: {self.text[:40]}"


class Run(TenantModel):
    """One training of one kind of model, from request to new version."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN: ClassVar = (State.QUEUED, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0)
    error = models.TextField(blank=True)
    api_key = models.UUIDField(null=True, editable=False)
    cancel_requested = models.BooleanField(default=False)
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind"],
                condition=Q(state__in=["queued", "running"]),
                name="one_open_run_per_kind",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="run_by_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} {self.state}"


class LogLine(TenantModel):
    """What a run said about its work."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="lines", db_index=False)
    line = models.CharField(max_length=500)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "run", "id"], name="log_of_run")]

    def __str__(self) -> str:
        return self.line


class ModelVersion(TenantModel):
    """A trained model. It has the id of the run that made it: a run makes one version at most."""

    run = models.OneToOneField(Run, on_delete=models.PROTECT, primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.PositiveIntegerField()
    active = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the training data")
    encoder = models.CharField(max_length=120)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "number"], name="version_number"),
            models.UniqueConstraint(
                fields=["tenant", "kind"], condition=Q(active=True), name="one_live_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Revision(TenantModel):
    """A counter that tells every process's cache that rows of that name have changed."""

    name = models.CharField(max_length=20)
    number = models.PositiveBigIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="revision_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
