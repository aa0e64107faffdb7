"""Events on their way to webhooks: queued, called for, tried again, given up, replayed.

waiting ──taken──▶ delivered ──replay──▶ waiting
 ▲ │ └──not taken, TRIES times──▶ failed ──replay──▶ waiting
 └─┘ not taken
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from saas import workers
from saas.webhooks.models import Delivery, Event, Webhook
from tenants.scope import current_tenant_id

TRIES = 8
# Seconds until the second try; four times as long until each one after: a day and a bit in all.
PAUSE, GROWTH, JITTER = 16.0, 4.0, 0.2
KEPT_ATTEMPTS = 20
BATCH = 1_000
REPLAYED = 10_000  # at most, by one call
State = Delivery.State


def queue(webhook_ids: Sequence[UUID], events: Sequence[Event]) -> list[Delivery]:
    """Have events delivered after this transaction; queued before, they are delivered again.

    They are due from when they happened, so that a webhook hears of them in that order.
    """
    made = Delivery.objects.bulk_create(
        [
            Delivery(webhook_id=webhook_id, event=event, due_at=event.at)
            for webhook_id in webhook_ids
            for event in events
        ],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["tenant", "webhook", "event"],
        update_fields=["state", "due_at", "tries"],
    )
    for webhook_id in webhook_ids:
        wake(webhook_id)
    return made


def replay(webhook: Webhook, since: datetime) -> tuple[int, datetime | None]:
    """Deliver what happened since then, whatever became of it; how many, and from when more is left."""
    found = Event.objects.filter(type__in=webhook.events, at__gte=since).only("id", "at")
    events = list(found.order_by("at")[: REPLAYED + 1])
    queue([webhook.id], events[:REPLAYED])
    return len(events[:REPLAYED]), events[-1].at if len(events) > REPLAYED else None


def wake(webhook_id: UUID) -> None:
    """Have a worker deliver what is due, once this transaction is committed."""
    from saas.webhooks.tasks import deliver

    workers.queue(deliver, str(current_tenant_id()), str(webhook_id))


def due(webhook_id: UUID, *, now: datetime) -> Delivery | None:
    """The one that a webhook should hear of first."""
    waiting = Delivery.objects.filter(webhook_id=webhook_id, state=State.WAITING, due_at__lte=now)
    return waiting.select_related("event").order_by("due_at").first()


def settle(called: Delivery, *, status: int | None, error: str, now: datetime) -> None:
    """Note a call and what it came to; an empty error is success. What is gone needs no note."""
    delivery = Delivery.objects.select_for_update(no_key=True).filter(id=called.id).first()
    if delivery is None:
        return
    attempt = {"at": now.isoformat(), "status": status, "error": error}
    delivery.attempts = [*delivery.attempts, attempt][-KEPT_ATTEMPTS:]
    delivery.save(update_fields=["attempts"])
    if (delivery.due_at, delivery.state) == (called.due_at, State.WAITING):
        _move(delivery, error=error, now=now)  # else it was asked for anew during the call


def _move(delivery: Delivery, *, error: str, now: datetime) -> None:
    delivery.tries += 1
    if not error:
        delivery.state = State.DELIVERED
    elif delivery.tries >= TRIES:
        delivery.state = State.FAILED
    else:
        delivery.due_at = now + pause(delivery.tries)
    delivery.save(update_fields=["state", "due_at", "tries"])


def pause(tries: int) -> timedelta:
    """From a call that failed to the next: longer each time, and not for all at the same moment."""
    seconds = PAUSE * GROWTH ** (tries - 1)
    return timedelta(seconds=seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
