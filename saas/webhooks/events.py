"""What happens, written down with it in one transaction and told to the tenant's webhooks after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from django.utils import timezone

from saas.webhooks import deliveries
from saas.webhooks.models import Delivery, Event
from tenants import scope

Type = Literal[
    "message.created",
    "hand_off.requested",
    "hand_off.taken",
    "hand_off.ended",
    "conversation.closed",
    "feedback.given",
    "rating.given",
]
TYPES: tuple[Type, ...] = get_args(Type)
PING = "ping"
KEPT = timedelta(days=30)

# The lock keeps a webhook from being deleted between here and the commit, and nothing else.
LISTENERS = """
SELECT id, active FROM webhooks_webhook
WHERE tenant_id = %(tenant)s AND %(type)s = ANY(events) FOR KEY SHARE
"""


def emit(type: Type, *happened: Mapping[str, Any]) -> None:
    """Tell the current tenant's webhooks, once this transaction is committed; not if it is not.

    Each of `happened` is the data of one event, in order. What no webhook listens for is not kept;
    what only those listen for that are off is kept, to be replayed.
    """
    found = scope.query(LISTENERS, type=type)
    if not found:
        return
    made = Event.objects.bulk_create(Event(type=type, data=data) for data in happened)
    deliveries.queue([webhook_id for webhook_id, active in found if active], made)


def ping(webhook_id: UUID) -> Delivery:
    """Send a webhook something of no meaning, to see whether it arrives."""
    (delivery,) = deliveries.queue([webhook_id], [Event.objects.create(type=PING, data={})])
    return delivery


def erase(conversation_ids: Sequence[str]) -> None:
    """Drop what is kept of these conversations, told or not."""
    Event.objects.filter(data__conversation_id__in=conversation_ids).delete()


def forget() -> int:
    """Drop the current tenant's events, and with them their deliveries, that are older than KEPT."""
    deleted, _ = Event.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return deleted
