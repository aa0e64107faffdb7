"""Which tenant is asking, in Python and in the database at once.

`tenant_scope(tenant_id)` opens a transaction, tells PostgreSQL's row security who is asking, and lets
the scoped managers of `TenantModel` read the same answer. Without a scope they raise `NoTenantScope`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tenants import statements
from tenants.statements import Statement

_tenant_id: ContextVar[UUID | None] = ContextVar("tenant_id", default=None)


class NoTenantScope(RuntimeError):
    """Tenant-owned rows were asked for outside of any tenant's scope."""


class TenantScopeConflict(RuntimeError):
    """A scope of one tenant was opened inside another tenant's."""


def current_tenant_id() -> UUID:
    """The tenant in whose scope this code runs; raises NoTenantScope outside of one."""
    tenant_id = _tenant_id.get()
    if tenant_id is None:
        raise NoTenantScope("No tenant is set. Wrap this in tenants.scope.tenant_scope(tenant_id).")
    return tenant_id


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """One transaction in the name of one tenant. Nests for the same tenant, refuses any other."""
    outer = _tenant_id.get()
    if outer is not None and outer != tenant_id:
        raise TenantScopeConflict(f"Scope of tenant {tenant_id} inside that of tenant {outer}.")
    if outer is not None:
        with transaction.atomic():
            yield
        return
    token = _tenant_id.set(tenant_id)
    try:
        with database_setting("app.tenant_id", str(tenant_id)):
            yield
    finally:
        _tenant_id.reset(token)


@contextmanager
def database_setting(name: str, value: str) -> Iterator[None]:
    """A transaction in which the PostgreSQL setting `name` holds, and after which it does not.

    A setting made inside a savepoint outlives its release, so inside an outer transaction it is taken
    back by hand; an error rolls it back with everything else.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        _set_config(name, value)
        yield
        if nested and not connection.needs_rollback:
            _set_config(name, "")


def _set_config(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def statement(text: str, **parameters: Any) -> Statement:
    """A hand-written statement in the current scope, which it names as `%(tenant)s`."""
    return Statement(text, {"tenant": current_tenant_id(), **parameters})


def query(text: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of a hand-written statement in the current scope, which it names as `%(tenant)s`.

    For what every call does: there, building the same ORM query anew takes longer than running it.
    """
    return statements.run(statement(text, **parameters))


def query_together(*statements: str, **parameters: Any) -> list[list[dict[str, Any]]]:
    """Rows of several SELECTs in the current scope, by column, in one trip to the database.

    Values are what JSON has for them: an id or a moment is a text.
    """
    each = ", ".join(
        f"(SELECT json_agg(found) FROM ({one}) AS found)"  # noqa: S608  (made of statements)
        for one in statements
    )
    return [rows or [] for rows in query(f"SELECT {each}", **parameters)[0]]


def query_with(name: str, value: str, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Rows of one statement under one database setting, before any tenant is known.

    Both travel together: outside of a transaction PostgreSQL makes one of them, and the setting ends
    with it.
    """
    rows = statements.run(
        Statement("SELECT set_config(%(name)s, %(value)s, true)", {"name": name, "value": value}),
        Statement(text, {"value": value, **parameters}),
    )
    if connection.in_atomic_block:
        _set_config(name, "")
    return rows


def every_tenant_id() -> list[UUID]:
    """Ids of all tenants, for the operator's periodic work; their rows stay behind the wall."""
    from tenants.models import Tenant

    with database_setting("app.every_tenant", "on"):
        return list(Tenant.objects.order_by("created_at").values_list("id", flat=True))
