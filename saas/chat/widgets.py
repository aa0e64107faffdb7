"""Chat widgets: what a tenant sets of the one that a publishable key shows."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from pydantic import Field, model_validator

from saas import rows
from saas.chat.hours import Hours, Part, Words
from saas.chat.models import Widget
from saas.errors import Problem
from saas.webhooks import signing
from tenants import audit
from tenants.models import ApiKey


class Rule(Part):
    """Say something before the visitor does: after so many seconds on a page whose path begins so."""

    after: int = Field(default=10, ge=0, le=3600)
    path: Annotated[str, Field(max_length=200, pattern=rows.NO_NUL)] = "/"
    says: Words

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.says.en or self.says.zh):
            raise ValueError("says must have a text")
        return self


class Look(Part):
    """What a widget shows, says and asks."""

    title: Words = Words()
    greeting: Words = Words()
    colour: str = Field(default="#1f5fd0", pattern=r"^#[0-9a-fA-F]{6}$")
    side: Literal["right", "left"] = "right"
    theme: Literal["auto", "light", "dark"] = "auto"
    sound: bool = False
    uploads: bool = True
    prompts: list[Words] = Field(default=[], max_length=6, description="Questions to begin with")
    rules: list[Rule] = Field(default=[], max_length=10, description="The first that fits counts")
    asks: list[Literal["name", "email"]] = Field(
        default=[], max_length=2, description="Asked before the first message"
    )
    hours: Hours | None = Field(
        default=None, description="When people are there for this one; null: as for all others"
    )
    messages_a_day: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Of all visitors together; null for no limit"
    )


def keys() -> QuerySet[ApiKey]:
    """The live publishable keys, each of which is a widget."""
    found: QuerySet[ApiKey] = ApiKey.objects.filter(kind=ApiKey.Kind.PUBLISHABLE, revoked_at=None)
    return found


def get(key_id: UUID) -> Look:
    """As it was set; the defaults where it was not."""
    row = Widget.objects.filter(key_id=key_id).first()
    return Look.model_validate(row.look) if row else Look()


def put(key_id: UUID, look: Look, *, actor: str) -> Look:
    """Set it."""
    values = {"look": look.model_dump(mode="json"), "updated_at": timezone.now()}
    Widget.objects.update_or_create(key_id=key_id, defaults=values)
    audit.record(actor=actor, action="widget.set", target=str(key_id))
    return look


def new_secret(key_id: UUID, *, actor: str) -> str:
    """A secret by which the tenant's server says who a visitor is, in place of an earlier one."""
    secret = signing.new_secret()
    Widget.objects.update_or_create(key_id=key_id, defaults={"secret": signing.seal(secret)})
    audit.record(actor=actor, action="widget.secret_made", target=str(key_id))
    return secret


def secret(key_id: UUID) -> str:
    """Raises Problem where there is none."""
    sealed = Widget.objects.filter(key_id=key_id).values_list("secret", flat=True).first()
    if not sealed:
        raise Problem("This widget has no secret to identify visitors by.", code="no_secret")
    return signing.unseal(sealed)
