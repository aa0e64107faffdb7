"""Celery's door to training."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task

from saas.training import drift, runs, schedules, work
from tenants.scope import every_tenant_id, tenant_scope

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def train(tenant_id: str, run_id: str) -> None:
    """Do the run unless it is over or another worker is on it."""
    work.perform(UUID(tenant_id), UUID(run_id))


@shared_task(time_limit=600)
def watch() -> None:
    """Raise alarms where live traffic has moved, and start the tuned runs that are due."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            drift.watch()
        with tenant_scope(tenant_id):
            schedules.keep()


@shared_task(time_limit=60)
def take_up() -> None:
    """Queue the runs of dead workers again."""
    for tenant_id in every_tenant_id():
        with tenant_scope(tenant_id):
            found = runs.take_up()
        if found:
            log.warning("runs taken up again", tenant=str(tenant_id), runs=found)
