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
    step = models.CharField(max_length=10, default="instant", help_text="instant or tuned")
    options = models.JSONField(default=dict, help_text="settings of a tuned run")
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
    """A trained model. It has the id of the run that made it: a run makes one version at most.

    `parent` was live when it was made, `replaced` when it last went live.
    """

    run = models.OneToOneField(Run, on_delete=models.PROTECT, primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.PositiveIntegerField()
    step = models.CharField(max_length=10, default="instant")
    active = models.BooleanField(default=False)
    metrics = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the training data")
    encoder = models.CharField(max_length=120)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    replaced = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
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


class Correction(TenantModel):
    """A message that the bot took for the wrong intent, and the right one by a person's word.

    It is an example from then on, and part of what a new version must not do worse on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=32, editable=False)
    text = models.TextField()
    intent = models.CharField(max_length=128)
    guessed = models.CharField(
        max_length=128, blank=True, help_text="what the bot had taken it for"
    )
    actor = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="correction_text_once"),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="correction_by_age")]

    def __str__(self) -> str:
        return f"{self.intent}: {self.text[:40]}"


class Challenge(TenantModel):
    """A version beside the live one: it answers a share of the conversations, or none (shadow)."""

    class Mode(models.TextChoices):
        SHADOW = "shadow"
        SHARE = "share"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, db_index=False)
    champion = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    mode = models.CharField(max_length=10, choices=Mode.choices)
    share = models.FloatField(default=0)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind"],
                condition=Q(ended_at=None),
                name="one_open_challenge_per_kind",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-started_at", "id"], name="challenge_by_age")]

    def __str__(self) -> str:
        return f"{self.mode} of {self.version_id}"


class Observation(TenantModel):
    """What the models made of one message: the one that answered, and the one that was watched."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.UUIDField()
    intent = models.CharField(max_length=128, blank=True)
    confidence = models.FloatField()
    in_scope = models.BooleanField()
    answered = models.BooleanField(help_text="false for a fallback")
    challenge = models.UUIDField(null=True)
    challenger_intent = models.CharField(max_length=128, blank=True)
    challenger_confidence = models.FloatField(null=True)
    challenger_in_scope = models.BooleanField(null=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "version", "at"], name="observation_of_version"),
            models.Index(fields=["tenant", "challenge"], name="observation_of_challenge"),
        ]

    def __str__(self) -> str:
        return f"{self.intent} {self.confidence:.2f}"


class Alarm(TenantModel):
    """Live traffic has moved away from what a version was measured on."""

    class Sign(models.TextChoices):
        CONFIDENCE = "confidence"
        SCOPE = "scope"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, db_index=False)
    sign = models.CharField(max_length=10, choices=Sign.choices)
    value = models.FloatField()
    limit = models.FloatField()
    messages = models.PositiveIntegerField()
    raised_at = models.DateTimeField(default=timezone.now, editable=False)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "version", "sign"], name="alarm_once"),
        ]
        indexes = [models.Index(fields=["tenant", "-raised_at", "id"], name="alarm_by_age")]

    def __str__(self) -> str:
        return f"{self.sign} of {self.version_id}"


class Schedule(TenantModel):
    """When the intent model is tuned again by itself."""

    class Every(models.TextChoices):
        OFF = "off"
        DAY = "day"
        WEEK = "week"

    every = models.CharField(max_length=10, choices=Every.choices, default=Every.OFF)
    least = models.PositiveIntegerField(default=20, help_text="new or changed examples")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_schedule")]

    def __str__(self) -> str:
        return self.every


class Revision(TenantModel):
    """A counter that tells every process's cache that rows of that name have changed."""

    name = models.CharField(max_length=20)
    number = models.PositiveBigIntegerField(default=1)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="revision_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
