"""Conversations on their way to people."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from saas.chat.models.conversations import Conversation
from tenants.models import TenantModel


class HandOff(TenantModel):
    """A conversation's way to a person: why, how urgent, and how long each step of it took.

    It is open until `ended_at`; a conversation has one open hand-off at most. One that was merged
    ended in favour of another conversation of the same customer.
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
    snoozed_until = models.DateTimeField(null=True)
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="merged", db_index=False
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation"],
                condition=models.Q(ended_at=None),
                name="one_open_hand_off",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-priority", "requested_at"], name="hand_off_queue"),
            models.Index(
                fields=["tenant", "merged_into"],
                condition=~models.Q(merged_into=None),
                name="hand_off_merged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason}, {self.priority}"


class HandOffPolicy(TenantModel):
    """When a tenant's conversations go to a person by themselves, and when people are there.

    `hours` has for a weekday (mon … sun) the times from and to, in `timezone`; none at all: always.
    `away` is said outside them, by language. `rules` raise what they name to a priority, and hand it off.
    """

    unsure_after = models.PositiveSmallIntegerField(default=3)
    hours = models.JSONField(default=dict)
    timezone = models.CharField(max_length=64, default="UTC")
    away = models.JSONField(default=dict)
    rules = models.JSONField(default=list)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_hand_off_policy")]

    def __str__(self) -> str:
        return f"after {self.unsure_after}"
