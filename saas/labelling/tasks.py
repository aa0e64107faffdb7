"""Celery's door to the labelling desk."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task

from saas.labelling import findings, jobs, proposals, queue
from saas.labelling.models import Job
from tenants.scope import tenant_scope

log = structlog.get_logger(__name__)
BROKEN = "Something broke on our side; it has been logged. Start the job again."


@shared_task(time_limit=1800)
def work(tenant_id: str, job_id: str) -> None:
    """Do the job unless it is over. Repeatable: all that it stores is stored in one transaction."""
    with tenant_scope(UUID(tenant_id)):
        job = jobs.take(UUID(job_id))
    if job is None:
        return
    try:
        DOORS[Job.Kind(job.kind)](UUID(tenant_id), job.id)
    except Exception as error:
        # The kind of error only: its words could hold a customer's.
        log.error("labelling job failed", job=job_id, kind=job.kind, error=type(error).__name__)
        with tenant_scope(UUID(tenant_id)):
            jobs.fail(job.id, BROKEN)


def _discover(tenant_id: UUID, job_id: UUID) -> None:
    with tenant_scope(tenant_id):
        read, answered = proposals.read()
    found = proposals.find(read, answered)
    with tenant_scope(tenant_id):
        proposals.keep(found)
        jobs.finish(job_id, texts=len(read), found=len(found))


def _select(tenant_id: UUID, job_id: UUID) -> None:
    with tenant_scope(tenant_id):
        read, model = queue.read(), queue.live()
    chosen = queue.choose(read, model)
    with tenant_scope(tenant_id):
        queue.keep(chosen)
        jobs.finish(job_id, texts=len(read), found=len(chosen))


def _check(tenant_id: UUID, job_id: UUID) -> None:
    with tenant_scope(tenant_id):
        read = findings.read()
    found = findings.find(read)
    with tenant_scope(tenant_id):
        findings.keep(found)
        jobs.finish(job_id, texts=len(read), found=len(found))


DOORS = {Job.Kind.DISCOVER: _discover, Job.Kind.SELECT: _select, Job.Kind.CHECK: _check}
