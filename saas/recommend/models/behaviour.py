from __future__ import annotations

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel, owner


class Customer(TenantModel):
    """What a tenant says of a customer. An anonymous one that turned out to be a known one is
    `merged_into` that one's id: its later events are the known one's.
    """

    external_id = models.CharField(max_length=128)
    attributes = models.JSONField(default=dict, blank=True)
    merged_into = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="customer_once"),
        ]
        indexes = [models.Index(fields=["tenant", "merged_into"], name="customer_merged")]

    def __str__(self) -> str:
        return self.external_id


class Event(TenantModel):
    """A customer did something with an item. Events of items not in the catalog yet are kept.

    `digest` is of what it tells, the same for the same event. `name` is what a custom event is
    called. `recommendation` is the answer that had led to it.
    """

    class Kind(models.TextChoices):
        IMPRESSION = "impression"
        VIEW = "view"
        CLICK = "click"
        CART = "cart"
        BUY = "buy"
        RATE = "rate"
        SHARE = "share"
        COMMENT = "comment"
        CUSTOM = "custom"

    # Row security says of each row that it is of the tenant in whose scope it comes: asking the
    # table of tenants once more for each of a million events takes an eighth of their import.
    tenant = owner(constraint=False)
    digest = models.UUIDField(editable=False)
    customer = models.CharField(max_length=128)
    item = models.CharField(max_length=128)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=60, blank=True)
    value = models.FloatField(default=1.0)
    quantity = models.FloatField(default=1.0)
    context = models.JSONField(default=dict, blank=True)
    recommendation = models.UUIDField(null=True)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="event_once")]
        indexes = [
            models.Index(fields=["tenant", "customer", "-at"], name="event_history"),
            models.Index(fields=["tenant", "at"], name="event_by_time"),
            models.Index(
                fields=["tenant", "recommendation"],
                condition=models.Q(recommendation__isnull=False),
                name="event_of_recommendation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.kind} {self.item}"
