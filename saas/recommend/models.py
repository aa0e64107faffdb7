from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Item(TenantModel):
    """An entry of the catalog. `vector` is float16[d] of its text by `encoder`."""

    id = models.BigAutoField(primary_key=True)
    external_id = models.CharField(max_length=128)
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    category = models.CharField(max_length=120, blank=True)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    available = models.BooleanField(default=True)
    translations = models.JSONField(default=dict, blank=True)
    vector = models.BinaryField(null=True, editable=False)
    encoder = models.CharField(max_length=120, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} {self.title}"


class Event(TenantModel):
    """A customer did something with an item. Events of items not in the catalog yet are kept."""

    class Kind(models.TextChoices):
        VIEW = "view"
        CLICK = "click"
        CART = "cart"
        BUY = "buy"
        RATE = "rate"

    digest = models.CharField(max_length=32, editable=False)
    customer = models.CharField(max_length=128)
    item = models.CharField(max_length=128)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.FloatField(default=1.0)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="event_once")]
        indexes = [
            models.Index(fields=["tenant", "customer", "-at"], name="event_history"),
            models.Index(fields=["tenant", "at"], name="event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.kind} {self.item}"
