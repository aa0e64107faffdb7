"""The record of who did what to what, kept with the work itself."""

from typing import Any

from tenants.models import AuditEvent


def record(*, actor: str, action: str, target: str = "", **detail: Any) -> None:
    """Write one audit event in the current tenant's scope; `detail` must hold no secret."""
    AuditEvent.objects.create(actor=actor, action=action, target=target, detail=detail)
