"""API keys: a prefix to recognise them by, and the SHA-256 of a 256-bit secret.

A secret of that size cannot be guessed, so a slow password hash would only cost time per call.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone

from tenants import audit
from tenants.models import ApiKey
from tenants.scope import query_with, tenant_scope

SCOPES = (
    "chat",
    "conversations:read",
    "inbox",
    "inbox:write",
    "knowledge:read",
    "knowledge:write",
    "examples:read",
    "examples:write",
    "items:read",
    "items:write",
    "events:read",
    "events:write",
    "events:delete",
    "customers:read",
    "customers:write",
    "recommend",
    "recommendations:read",
    "recommendations:write",
    "training:read",
    "training:write",
    "webhooks:read",
    "webhooks:write",
    "usage:read",
    "keys:write",
)
PUBLISHABLE_SCOPES = ("chat", "recommend", "events:write")
LAST_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a tenant by one of its keys."""

    tenant_id: UUID
    key_id: UUID
    prefix: str
    scopes: frozenset[str]
    origins: tuple[str, ...] | None
    is_authenticated: bool = True

    @property
    def actor(self) -> str:
        return f"key {self.prefix}"


def issue(
    *,
    name: str,
    kind: str = ApiKey.Kind.SECRET,
    scopes: Sequence[str] | None = None,
    origins: Sequence[str] = (),
    lifetime: timedelta | None = None,
    actor: str,
) -> tuple[ApiKey, str]:
    """A new key of the current tenant and its secret, which is shown once and not stored."""
    allowed = SCOPES if kind == ApiKey.Kind.SECRET else PUBLISHABLE_SCOPES
    chosen = list(dict.fromkeys(allowed if scopes is None else scopes))
    _check(kind=kind, scopes=chosen, allowed=allowed, origins=origins)
    secret = f"fd_{kind}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        kind=kind,
        prefix=secret[:12],
        hash=digest(secret),
        scopes=chosen,
        origins=[origin.rstrip("/").lower() for origin in origins],
        expires_at=timezone.now() + lifetime if lifetime else None,
    )
    audit.record(actor=actor, action="key.issued", target=str(key.id), name=name, scopes=chosen)
    return key, secret


def _check(*, kind: str, scopes: list[str], allowed: Sequence[str], origins: Sequence[str]) -> None:
    unknown = [scope for scope in scopes if scope not in allowed]
    if unknown:
        raise ValidationError(
            {"scopes": f"Not for this kind of key: {', '.join(unknown)}. Use {', '.join(allowed)}."}
        )
    if kind == ApiKey.Kind.PUBLISHABLE and not origins:
        raise ValidationError(
            {"origins": "A publishable key needs the origins of the pages it is used on."}
        )
    if kind == ApiKey.Kind.SECRET and origins:
        raise ValidationError({"origins": "Only a publishable key is bound to origins."})


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def find(secret: str) -> Principal | None:
    """Whose live key this is, before any tenant is known; None for unknown, expired, revoked ones.

    The database shows exactly the row whose hash the caller holds (policy `by_hash`).
    """
    now = timezone.now()
    rows = query_with(
        "app.key_hash",
        digest(secret),
        """SELECT tenant_id, id, prefix, scopes, origins, kind, last_used_at FROM tenants_apikey
           WHERE hash = %(value)s AND revoked_at IS NULL
             AND (expires_at IS NULL OR expires_at > %(now)s)""",
        now=now,
    )
    if not rows:
        return None
    tenant_id, key_id, prefix, scopes, origins, kind, last_used_at = rows[0]
    if last_used_at is None or last_used_at < now - LAST_USED_EVERY:
        with tenant_scope(tenant_id):
            ApiKey.objects.filter(id=key_id).update(last_used_at=now)
    return Principal(
        tenant_id=tenant_id,
        key_id=key_id,
        prefix=prefix,
        scopes=frozenset(scopes),
        origins=tuple(origins) if kind == ApiKey.Kind.PUBLISHABLE else None,
    )


def live(tenant_id: UUID, key_id: UUID) -> Principal | None:
    """A key that is alive, by its id; None for an expired or revoked one."""
    with tenant_scope(tenant_id):
        row = ApiKey.objects.filter(id=key_id, revoked_at=None).first()
    if row is None or (row.expires_at and row.expires_at <= timezone.now()):
        return None
    return Principal(
        tenant_id=tenant_id,
        key_id=row.id,
        prefix=row.prefix,
        scopes=frozenset(row.scopes),
        origins=tuple(row.origins) if row.kind == ApiKey.Kind.PUBLISHABLE else None,
    )


def rotate(key: ApiKey, *, overlap: timedelta, actor: str) -> tuple[ApiKey, str]:
    """A successor with the same rights and lifetime; the old key goes on for `overlap`, then expires."""
    lifetime = key.expires_at - key.created_at if key.expires_at else None
    successor, secret = issue(
        name=key.name,
        kind=key.kind,
        scopes=key.scopes,
        origins=key.origins,
        lifetime=lifetime,
        actor=actor,
    )
    end = timezone.now() + overlap
    if key.expires_at is None or key.expires_at > end:
        key.expires_at = end
        key.save(update_fields=["expires_at"])
    audit.record(actor=actor, action="key.rotated", target=str(key.id), successor=str(successor.id))
    return successor, secret


def allow(key: ApiKey, origins: Sequence[str], *, actor: str) -> None:
    """Let a publishable key be used on pages of these origins, and no others, from now on."""
    chosen = [origin.rstrip("/").lower() for origin in origins]
    _check(kind=key.kind, scopes=[], allowed=(), origins=chosen)
    if chosen != key.origins:
        key.origins = chosen
        key.save(update_fields=["origins"])
        audit.record(actor=actor, action="key.origins_set", target=str(key.id), origins=chosen)


def revoke(key: ApiKey, *, actor: str) -> None:
    """Refuse the key from now on. Revoking twice changes nothing."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        audit.record(actor=actor, action="key.revoked", target=str(key.id))
