"""Periodic work of metering, for every tenant in its own scope."""

from collections.abc import Callable

import structlog
from celery import shared_task

from saas.billing import idempotency, quota, usage
from tenants.scope import every_tenant_id, tenant_scope

log = structlog.get_logger(__name__)


def _for_every_tenant(name: str, work: Callable[[], int]) -> None:
    """One tenant's failure must not keep the others from their turn; it is logged and raised last."""
    failed = []
    for tenant_id in every_tenant_id():
        try:
            with tenant_scope(tenant_id):
                done = work()
            if done:
                log.info(name, tenant=str(tenant_id), rows=done)
        except Exception as error:
            log.exception(name, tenant=str(tenant_id))
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{name} failed for {len(failed)} tenants", failed)


@shared_task(time_limit=600)
def roll_up() -> None:
    _for_every_tenant("usage summed", usage.roll_up)


@shared_task(time_limit=600)
def release() -> None:
    _for_every_tenant("reservations given back", quota.release)


@shared_task(time_limit=600)
def forget() -> None:
    _for_every_tenant("old answers dropped", idempotency.forget)
