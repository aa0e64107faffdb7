from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Webhook(TenantModel):
    """An address of the tenant's own server that is told what happens, if it is of these `events`.

    `secret` is sealed (`saas.webhooks.signing`); the one before it goes on signing until
    `former_until`. `busy_until` keeps all workers but one away, and pauses calls to a server that
    does not answer. It is off for a `reason`, unless the tenant switched it off.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=40))
    active = models.BooleanField(default=True)
    reason = models.TextField(blank=True)
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="webhook_by_age")]

    def __str__(self) -> str:
        return str(self.id)


class Event(TenantModel):
    """Something that happened, as webhooks tell it: written in the transaction that made it happen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.CharField(max_length=40)
    data = models.JSONField(encoder=DjangoJSONEncoder)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "at"], name="webhook_event_by_age")]

    def __str__(self) -> str:
        return self.type


class Delivery(TenantModel):
    """An event's way to a webhook: called from `due_at` on until it is taken or given up.

    `tries` counts the calls since it was queued; `attempts` has the newest of all calls, the oldest
    of them first, each with `at`, the `status` that was answered and the `error` that kept it.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    attempts: models.JSONField[Any, Any] = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "webhook", "event"], name="delivery_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "webhook", "-created_at", "id"], name="delivery_by_age"),
            models.Index(
                fields=["tenant", "webhook", "due_at"],
                condition=models.Q(state="waiting"),
                name="delivery_due",
            ),
            # For the cascade of events that are forgotten.
            models.Index(fields=["tenant", "event"], name="delivery_of_event"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} {self.state}"
