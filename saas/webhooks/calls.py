"""One worker at a time calls a webhook, delivery by delivery, in the order of what happened."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from saas import outside
from saas.outside import OutsideError
from saas.webhooks import deliveries, endpoints, signing
from saas.webhooks.models import Delivery, Event, Webhook
from tenants.scope import tenant_scope

SECONDS = 10.0  # that a receiver has to answer
LEASE = timedelta(seconds=60)  # after which a worker that calls is taken for dead
REST = timedelta(seconds=30)  # for a receiver that does not answer at all
ROUND = 30.0  # seconds after which a worker turns to what else is queued
GONE = 410
RESEALED = "Its secret cannot be read any more; rotate it, then switch the webhook on"


@dataclass(frozen=True, slots=True)
class Call:
    """A delivery as it is sent, and until when its webhook is this worker's."""

    delivery: Delivery
    url: str
    headers: dict[str, str]
    body: str
    lease: datetime


def work_off(tenant_id: UUID, webhook_id: UUID) -> bool:
    """Deliver what is due to a webhook; whether more may be left. No transaction is open in a call.

    Does nothing while another worker does it.
    """
    end, lease, over = time.monotonic() + ROUND, None, False
    while True:
        with tenant_scope(tenant_id):
            call = _begin(webhook_id, lease, over=over)
        if call is None:
            return over
        status, error = _send(call)
        with tenant_scope(tenant_id):
            _end(webhook_id, call, status, error)
        lease, over = call.lease, time.monotonic() > end


def stale() -> list[UUID]:
    """The current tenant's webhooks for which something is due and which nobody calls."""
    now = timezone.now()
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now)
    free = due.filter(webhook__active=True, webhook__busy_until__lte=now)
    return list(free.values_list("webhook_id", flat=True).distinct())


def _begin(webhook_id: UUID, lease: datetime | None, *, over: bool) -> Call | None:
    """The next call, taking the webhook or keeping it; None, and the webhook is left, if none is due."""
    now = timezone.now()
    webhook = Webhook.objects.select_for_update(no_key=True).filter(id=webhook_id).first()
    if webhook is None or (webhook.busy_until > now and webhook.busy_until != lease):
        return None
    delivery = None if over or not webhook.active else deliveries.due(webhook_id, now=now)
    webhook.busy_until = now + LEASE if delivery else now
    call = _call(webhook, delivery, now=now) if delivery else None
    webhook.save(update_fields=["busy_until", "active", "reason"])
    return call


def _call(webhook: Webhook, delivery: Delivery, *, now: datetime) -> Call | None:
    body = body_of(delivery.event)
    secrets = endpoints.secrets_of(webhook, now=now)
    try:
        headers = signing.headers(secrets, id=str(delivery.event_id), at=now, body=body)
    except signing.SealBroken:
        endpoints.switch_off(webhook, RESEALED)
        webhook.busy_until = now
        return None
    headers["content-type"] = "application/json"
    return Call(delivery, webhook.url, headers, body, webhook.busy_until)


def body_of(event: Event) -> str:
    """What a webhook is told, the same at each try."""
    told = {"type": event.type, "timestamp": event.at, "data": event.data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder)


def _send(call: Call) -> tuple[int | None, str]:
    """The status of the answer, if there is one, and why it is no success; empty if it is."""
    try:
        answer = outside.fetch(
            call.url,
            method="POST",
            headers=call.headers,
            body=call.body.encode(),
            most=0,
            seconds=SECONDS,
            schemes=endpoints.SCHEMES,
        )
    except OutsideError as error:
        return None, str(error)
    if 200 <= answer.status < 300:
        return answer.status, ""
    if 300 <= answer.status < 400:
        return answer.status, f"It redirects ({answer.status}), and that is not followed."
    return answer.status, f"The server answered {answer.status}."


def _end(webhook_id: UUID, call: Call, status: int | None, error: str) -> None:
    """Note what came of a call."""
    now = timezone.now()
    webhook = Webhook.objects.select_for_update(no_key=True).filter(id=webhook_id).first()
    if webhook is None:
        return
    deliveries.settle(call.delivery, status=status, error=error, now=now)
    endpoints.judge(webhook, error, now=now)
    if status == GONE:
        endpoints.switch_off(webhook, f"The server answered {GONE}: it wants no more of this")
    if status is None and webhook.busy_until == call.lease:
        webhook.busy_until = now + REST  # not this worker's any more, nor another's for a while
    webhook.save(update_fields=["active", "reason", "failing_since", "busy_until"])
