"""How a language model takes part, and what that takes."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tenants.models import TenantModel


class Prompt(TenantModel):
    """What a tenant tells the language model that composes its answers; versions count from 1."""

    version = models.PositiveIntegerField()
    text = models.TextField()
    author = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "version"], name="prompt_once")]
        indexes = [models.Index(fields=["tenant", "-created_at", "id"], name="prompt_by_age")]

    def __str__(self) -> str:
        return f"version {self.version}"


class CompositionPolicy(TenantModel):
    """Whether, how and for how much a language model composes a tenant's answers."""

    enabled = models.BooleanField(default=True)
    prompt = models.PositiveIntegerField(null=True, help_text="the version that is used")
    tokens_an_answer = models.PositiveIntegerField()
    tokens_a_month = models.PositiveBigIntegerField(null=True)
    cost_a_month = models.DecimalField(max_digits=12, decimal_places=2, null=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_composition_policy")]

    def __str__(self) -> str:
        return "on" if self.enabled else "off"


class Spending(TenantModel):
    """What a tenant's composed answers took in a month, what is under way included."""

    month = models.DateField()
    tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=6, default=0)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "month"], name="spending_once")]

    def __str__(self) -> str:
        return f"{self.month}: {self.tokens}"
