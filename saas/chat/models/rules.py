"""What a tenant's bot calls and refuses."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


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


class SafetyPolicy(TenantModel):
    """What a tenant's bot does with messages of each kind that it could refuse (`saas.chat.safety`)."""

    rules = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_safety_policy")]

    def __str__(self) -> str:
        return "safety"
