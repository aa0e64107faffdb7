"""Jobs: one open of a kind and tenant; one whose worker died makes room once its lease is over."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from saas import workers
from saas.errors import Conflict
from saas.labelling.models import Job
from tenants import audit
from tenants.scope import current_tenant_id

LEASE = timedelta(minutes=31)  # a minute more than the task's time limit


def start(kind: str, *, actor: str) -> Job:
    """Queue a job; raises Conflict where one of this kind is open."""
    stale = Job.objects.filter(kind=kind, state__in=Job.OPEN, lease_until__lt=timezone.now())
    stale.update(state=Job.State.FAILED, error="Its worker went away. Start it again.")
    try:
        with transaction.atomic():
            job: Job = Job.objects.create(kind=kind, lease_until=timezone.now() + LEASE)
    except IntegrityError as error:
        message = f"A job of the kind {kind!r} is open. Wait until it is over."
        raise Conflict(message, code="job_open") from error
    audit.record(actor=actor, action="labelling.started", target=str(job.id), kind=kind)
    from saas.labelling.tasks import work

    workers.queue(work, str(current_tenant_id()), str(job.id))
    return job


def take(job_id: UUID) -> Job | None:
    """The job, now this worker's; None where it is over. The lease begins anew."""
    job: Job | None = Job.objects.select_for_update().filter(id=job_id, state__in=Job.OPEN).first()
    if job is not None:
        job.state, job.lease_until = Job.State.RUNNING, timezone.now() + LEASE
        job.save(update_fields=["state", "lease_until"])
    return job


def finish(job_id: UUID, *, texts: int, found: int) -> None:
    Job.objects.filter(id=job_id).update(
        state=Job.State.SUCCEEDED, texts=texts, found=found, finished_at=timezone.now()
    )


def fail(job_id: UUID, error: str) -> None:
    Job.objects.filter(id=job_id, state__in=Job.OPEN).update(
        state=Job.State.FAILED, error=error, finished_at=timezone.now()
    )
