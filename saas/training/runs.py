"""Training runs: one open run per kind and tenant, taken up again when its worker dies.

A worker holds a run by a lease that it renews while it works. Every change it makes names the attempt
it holds, so a worker that was believed dead cannot write into the run of its successor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from saas import workers
from saas.billing import quota, usage
from saas.billing.models import Kind as Metered
from saas.errors import Conflict
from saas.training import store
from saas.training.models import LogLine, Run
from tenants import audit
from tenants.scope import current_tenant_id

MAX_ATTEMPTS = 5
LINE = 500


class RunLost(RuntimeError):
    """Another worker has the run, or it is over: stop working on it."""


class RunCancelled(RuntimeError):
    """Somebody asked for the run to be cancelled."""


def lease() -> timedelta:
    return timedelta(seconds=settings.RUN_LEASE_SECONDS)


def start(
    kind: str,
    *,
    actor: str,
    api_key: UUID | None = None,
    step: str = "instant",
    options: dict[str, Any] | None = None,
) -> Run:
    """Queue a run, with `options` for a tuned one (`ml.finetune.Config`).

    Raises Conflict where one of this kind is open, QuotaExceeded where none is left.
    """
    try:
        with transaction.atomic():
            run: Run = Run.objects.create(
                kind=kind,
                step=step,
                options=options or {},
                api_key=api_key,
                lease_until=timezone.now() + lease(),
            )
    except IntegrityError as error:
        there = Run.objects.get(kind=kind, state__in=Run.OPEN)
        raise Conflict(
            f"Another {kind} run is {there.state} ({there.id}). Wait for it or cancel it.",
            code="run_open",
        ) from error
    quota.spend(Metered.TRAINING)
    audit.record(actor=actor, action="run.started", target=str(run.id), kind=kind, step=step)
    log(run.id, "Queued.")
    enqueue(run.id)
    return run


def enqueue(run_id: UUID) -> None:
    from saas.training.tasks import train

    # The run is kept even where the queue does not answer; `take_up` queues it again.
    workers.queue(train, str(current_tenant_id()), str(run_id))


def take(run_id: UUID) -> Run | None:
    """Hold the run for this worker; None where it is over or another worker is on it."""
    now = timezone.now()
    run: Run | None = Run.objects.select_for_update().filter(id=run_id, state__in=Run.OPEN).first()
    if run is None or (run.state == Run.State.RUNNING and run.lease_until > now):
        return None
    if run.cancel_requested:
        _finish(run, Run.State.CANCELLED, "Cancelled.")
        return None
    if run.attempt >= MAX_ATTEMPTS:
        _finish(run, Run.State.FAILED, f"Given up after {run.attempt} attempts that did not end.")
        return None
    if run.attempt:
        log(run.id, f"Taken up again after attempt {run.attempt} was interrupted.")
    run.state, run.attempt, run.lease_until = Run.State.RUNNING, run.attempt + 1, now + lease()
    run.started_at = run.started_at or now
    run.save(update_fields=["state", "attempt", "lease_until", "started_at"])
    return run


def renew(run: Run) -> None:
    """Hold the run for longer; raises RunLost or RunCancelled."""
    if not _held(run).update(lease_until=timezone.now() + lease()):
        raise RunLost(f"Run {run.id} is not held by attempt {run.attempt} any more.")
    if _held(run).filter(cancel_requested=True).exists():
        raise RunCancelled


def report(run: Run, share: float, line: str) -> None:
    """Note progress (0..1) and a log line, and renew the lease."""
    renew(run)
    _held(run).update(progress=min(max(share, 0.0), 1.0))
    if line:
        log(run.id, line)


def complete(run: Run, made: store.Made) -> None:
    """Turn the work into a version, in one transaction with the end of the run."""
    held = _held(run).select_for_update().first()
    if held is None:
        raise RunLost(f"Run {run.id} was taken over before it could end.")
    if held.cancel_requested:
        raise RunCancelled
    version = store.register(held, made)
    usage.record(key=f"run:{run.id}", kind=Metered.TRAINING, api_key=held.api_key)
    _finish(held, Run.State.SUCCEEDED, version.note or f"Version {version.number} is live.")


def fail(run: Run, state: str, message: str) -> None:
    """End a held run without a version."""
    held = _held(run).select_for_update().first()
    if held is not None:
        _finish(held, state, message)


def cancel(run_id: UUID, *, actor: str) -> Run:
    """Cancel at once what is queued; ask a running worker to stop. Raises Conflict when it is over."""
    run: Run = Run.objects.select_for_update().get(id=run_id)
    if run.state not in Run.OPEN:
        raise Conflict(f"The run has {run.state} already.", code="run_over")
    run.cancel_requested = True
    run.save(update_fields=["cancel_requested"])
    if run.state == Run.State.QUEUED:
        _finish(run, Run.State.CANCELLED, "Cancelled.")
    audit.record(actor=actor, action="run.cancelled", target=str(run.id))
    return run


def take_up() -> int:
    """Queue again what no worker holds: runs of dead workers, and messages the broker lost.

    Each is queued once a lease, so that a long queue does not fill up with copies.
    """
    now = timezone.now()
    stale = list(
        Run.objects.select_for_update(skip_locked=True)
        .filter(state__in=Run.OPEN, lease_until__lt=now)
        .values_list("id", flat=True)
    )
    Run.objects.filter(id__in=stale).update(state=Run.State.QUEUED, lease_until=now + lease())
    for run_id in stale:
        enqueue(run_id)
    return len(stale)


def log(run_id: UUID, line: str) -> None:
    LogLine.objects.create(run_id=run_id, line=line[:LINE])


def _held(run: Run):  # type: ignore[no-untyped-def]
    return Run.objects.filter(id=run.id, state=Run.State.RUNNING, attempt=run.attempt)


def _finish(run: Run, state: str, line: str) -> None:
    failed = state == Run.State.FAILED
    if state != Run.State.SUCCEEDED:
        quota.give_back(Metered.TRAINING, since=run.created_at.date())
    Run.objects.filter(id=run.id).update(
        state=state,
        finished_at=timezone.now(),
        progress=1.0 if state == Run.State.SUCCEEDED else F("progress"),
        error=line if failed else "",
    )
    log(run.id, line)
