"""Files that were sent in conversations."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from saas.chat.models.conversations import Message
from tenants.models import TenantModel


class Attachment(TenantModel):
    """A file of a message; what it holds lies below DOCUMENTS, by its digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attachments", db_index=False
    )
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "message"], name="attachment_of_message"),
            models.Index(fields=["tenant", "digest"], name="attachment_by_content"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.type.startswith("image/")
