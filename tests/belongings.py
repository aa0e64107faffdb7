"""A tenant with something of everything: at least one row in every tenant-owned table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from saas.billing import quota, usage
from saas.training import store
from saas.training.models import Run
from tenants import members
from tenants.models import Member


def give(business: Any) -> dict[str, str]:
    """Fill the tenant's tables; returns the id of one object for each route that takes an id."""
    call, mark = business.call, business.slug
    question = {"question": f"{mark} question?", "answer": f"{mark} answer."}
    answered = call.post("chat/messages", {"text": f"{mark} asks", "customer": f"{mark}-customer"})
    call.post("knowledge", [question], **{"Idempotency-Key": "first"})
    call.post("replies", [{"intent": f"{mark}_hi", "language": "en", "text": f"{mark} hi"}])
    call.post("examples", [{"text": f"{mark} hello", "intent": f"{mark}_hi"}])
    call.post("items", [{"id": f"{mark}-item", "title": f"{mark} tea"}])
    call.post("events", [{"customer": f"{mark}-customer", "item": f"{mark}-item"}])
    run = call.post("training/runs", {"kind": "intent"}).json()["id"]
    with business.scope():
        made = store.Made(metrics={"accuracy": 1.0}, fingerprint=mark, encoder=mark)
        store.register(Run.objects.get(id=run), made)
        members.invite(by=Member.objects.get(), email=f"guest@{mark}.example", role="agent")
        usage.roll_up(timezone.now() + timedelta(hours=2))
        quota.reserve("recommendation")
    return {
        "conversations": answered.json()["conversation_id"],
        "items": f"{mark}-item",
        "training/runs": run,
        "models": run,
    } | {
        kind: call.get(kind).json()["results"][0]["id"]
        for kind in ("knowledge", "replies", "examples", "keys")
    }
