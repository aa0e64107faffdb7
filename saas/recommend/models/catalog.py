from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Item(TenantModel):
    """An entry of the catalog. `vector` is float16[d] of its text by `encoder`.

    It can be recommended while it is `available`, has stock (null: not counted) and now lies
    between `available_from` and `available_until` (null: open).
    """

    id = models.BigAutoField(primary_key=True)
    external_id = models.CharField(max_length=128)
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    category = models.CharField(max_length=120, blank=True)
    brand = models.CharField(max_length=120, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    currency = models.CharField(max_length=3, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    image = models.CharField(max_length=2000, blank=True)
    available = models.BooleanField(default=True)
    available_from = models.DateTimeField(null=True)
    available_until = models.DateTimeField(null=True)
    stock = models.IntegerField(null=True)
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
