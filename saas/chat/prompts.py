"""How a tenant's answers are composed: on or off, the prompt's versions, and the budget."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.db.models import Max
from pydantic import BaseModel, ConfigDict, Field

from saas.chat.models import CompositionPolicy, Prompt
from saas.errors import Problem
from tenants import audit

DEFAULT = "Be friendly and brief: two or three sentences."


class Policy(BaseModel):
    """Of the current tenant. A budget that is null has no bound of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)

    enabled: bool = True
    prompt: int | None = Field(
        default=None, ge=1, description="The prompt's version; null for the one that is built in"
    )
    tokens_an_answer: int = Field(default=300, ge=20, le=2_000)
    tokens_a_month: int | None = Field(default=None, ge=0, le=10**12)
    cost_a_month: Decimal | None = Field(default=None, ge=0, max_digits=12, decimal_places=2)


def get() -> Policy:
    """The defaults where none was set."""
    row = CompositionPolicy.objects.first()
    return Policy.model_validate(row) if row else Policy()


def put(policy: Policy, *, actor: str) -> Policy:
    """Set it. Raises Problem where there is no such prompt."""
    if policy.prompt is not None and not Prompt.objects.filter(version=policy.prompt).exists():
        raise Problem(f"There is no version {policy.prompt} of your prompt; list them first.")
    CompositionPolicy.objects.update_or_create(defaults=policy.model_dump())
    audit.record(actor=actor, action="composition.set", target="")
    return policy


def write(text: str, *, actor: str) -> Prompt:
    """A new version, which is used from now on."""
    with transaction.atomic():
        policy, _ = CompositionPolicy.objects.select_for_update().get_or_create(
            defaults=Policy().model_dump()
        )
        last = Prompt.objects.aggregate(last=Max("version"))["last"] or 0
        prompt: Prompt = Prompt.objects.create(version=last + 1, text=text, author=actor)
        policy.prompt = prompt.version
        policy.save(update_fields=["prompt"])
    audit.record(actor=actor, action="prompt.write", target=str(prompt.version))
    return prompt


def text_of(version: int | None) -> str:
    if version is None:
        return DEFAULT
    found: str = Prompt.objects.values_list("text", flat=True).get(version=version)
    return found
