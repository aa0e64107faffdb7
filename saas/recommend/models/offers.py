from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Recommendation(TenantModel):
    """An answer that was given: what events are attributed to, and what explains it.

    `items` are its picks in their order, each `[item, source, because, score, detail]`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.CharField(max_length=128, blank=True)
    kind = models.CharField(max_length=20)
    scenario = models.CharField(max_length=60)
    items = models.JSONField(default=list)
    version = models.UUIDField(null=True)
    experiment = models.UUIDField(null=True)
    arm = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "scenario", "at"], name="recommendation_by_time"),
            models.Index(fields=["tenant", "customer", "-at"], name="recommendation_of"),
        ]

    def __str__(self) -> str:
        return f"{self.scenario} {self.id}"


class Rule(TenantModel):
    """What the business wants in a scenario ("" for all of them): pin, boost, bury or hide items.

    It is of the items that `filter` admits, or of those in `items`. `weight` is what a boost or a
    burial multiplies by; `position` is where the first pinned item stands, from 1.
    """

    class Action(models.TextChoices):
        PIN = "pin"
        BOOST = "boost"
        BURY = "bury"
        HIDE = "hide"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    scenario = models.CharField(max_length=60, blank=True)
    action = models.CharField(max_length=10, choices=Action.choices)
    filter = models.CharField(max_length=500, blank=True)
    items = models.JSONField(default=list)
    weight = models.FloatField(default=1.0)
    position = models.PositiveSmallIntegerField(default=1)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="rule_once")]

    def __str__(self) -> str:
        return self.name


class Experiment(TenantModel):
    """Arms of a scenario that customers are spread over by a stable hash.

    `arms` are `{"name", "share", "settings"}`, the first one what the others are compared with.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    scenario = models.CharField(max_length=60)
    arms = models.JSONField(default=list)
    metric = models.CharField(max_length=20)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    outcome = models.JSONField(default=dict)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="experiment_once"),
            models.UniqueConstraint(
                fields=["tenant", "scenario"],
                condition=models.Q(ended_at__isnull=True),
                name="experiment_one_running",
            ),
        ]

    def __str__(self) -> str:
        return self.name
