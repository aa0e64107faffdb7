"""How a tenant's chat widgets look and behave."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Widget(TenantModel):
    """The widget of one publishable key; `secret` (sealed) signs who a visitor is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.ForeignKey(
        "tenants.ApiKey", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    look = models.JSONField(default=dict)
    secret = models.TextField(blank=True, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="one_widget_of_a_key")
        ]

    def __str__(self) -> str:
        return str(self.key_id)
