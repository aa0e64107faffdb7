from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Kind(models.TextChoices):
    """What is metered."""

    CHAT = "chat_message", "chat message"
    RECOMMENDATION = "recommendation", "recommendation"
    TRAINING = "training_run", "training run"


class Plan(models.Model):
    """A price list of the operator. Not a tenant's: every tenant may read it, none may write it."""

    operator_only = True

    code = models.SlugField(max_length=20, primary_key=True)
    name = models.CharField(max_length=60)
    currency = models.CharField(max_length=3)
    monthly_fee = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(0))

    def __str__(self) -> str:
        return self.code


class Price(models.Model):
    """One line of a price list: units included, the price of each further one, the hard limit."""

    operator_only = True

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    included = models.PositiveIntegerField(default=0)
    unit_price = models.DecimalField(max_digits=12, decimal_places=6)
    limit = models.PositiveBigIntegerField(help_text="Units a month, after which calls are refused")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "kind"], name="price_once_per_kind")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.kind}"


class Subscription(TenantModel):
    """The plan a tenant is on."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT)
    since = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_plan_per_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.plan_id}"


class UsageRecord(TenantModel):
    """One served piece of work. `key` names the work, so that it is never counted twice."""

    append_only = True

    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    units = models.PositiveIntegerField(default=1)
    api_key = models.UUIDField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="usage_counted_once")]
        indexes = [models.Index(fields=["tenant", "at"], name="usage_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class UsageHour(TenantModel):
    """The sum of one closed hour, by kind and key."""

    hour = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    api_key = models.UUIDField(null=True)
    units = models.PositiveBigIntegerField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "hour", "kind", "api_key"],
                nulls_distinct=False,
                name="hour_once_per_kind_and_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hour} {self.kind} {self.units}"


class RollUp(TenantModel):
    """Up to when a tenant's records are summed: hours before `through` are read from UsageHour."""

    through = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_rollup_per_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.through}"


class Quota(TenantModel):
    """What is left of a month: units used, and units reserved by work under way."""

    period = models.DateField(help_text="First day of the month")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    used = models.PositiveBigIntegerField(default=0)
    reserved = models.PositiveBigIntegerField(default=0)
    limit = models.PositiveBigIntegerField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period", "kind"], name="quota_once_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.kind} {self.used}+{self.reserved}/{self.limit}"


class Reservation(TenantModel):
    """Units held for work under way; given back after `expires_at` if the work never ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    quota = models.ForeignKey(Quota, on_delete=models.CASCADE, db_index=False)
    units = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "expires_at"], name="reservation_by_expiry")]

    def __str__(self) -> str:
        return f"{self.id} {self.units}"


class Answer(TenantModel):
    """The first answer to an Idempotency-Key, given again to the same call."""

    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="answer_once")]
        indexes = [models.Index(fields=["tenant", "at"], name="answer_by_age")]

    def __str__(self) -> str:
        return self.key
