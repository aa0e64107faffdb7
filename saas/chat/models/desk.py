"""What agents keep beside a conversation, and what they like to say."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from saas.chat.models.conversations import Conversation
from tenants.models import TenantModel


class Note(TenantModel):
    """What an agent tells colleagues of a conversation; the customer never sees it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="notes", db_index=False
    )
    agent = models.CharField(max_length=128)
    text = models.TextField()
    mentions = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "conversation", "created_at"], name="note_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.text[:40]}"


class Tag(TenantModel):
    """A word that conversations are sorted by."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="tags", db_index=False
    )
    name = models.CharField(max_length=40)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "conversation", "name"], name="tag_once")
        ]

    def __str__(self) -> str:
        return self.name


class Canned(TenantModel):
    """A text that agents send again and again; `{{customer}}` and `{{agent}}` are filled in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name", "language"], name="canned_once")
        ]

    def __str__(self) -> str:
        return self.name
