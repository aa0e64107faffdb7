"""Whatever is opened, closed, nested and broken in whatever order: the scope is the one that is open."""

from __future__ import annotations

from contextlib import AbstractContextManager
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from tenants import audit, keys
from tenants.models import AuditEvent
from tenants.scope import NoTenantScope, TenantScopeConflict, current_tenant_id, tenant_scope
from tests.conftest import found
from tests.tenants.test_scope import setting

TENANTS: list[UUID] = []


class Scopes(RuleBasedStateMachine):
    """Levels are scopes and plain transactions; each knows the rows there were when it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.mark = str(uuid4())
        self.levels: list[tuple[AbstractContextManager[None], UUID | None, dict[UUID, int]]] = []
        self.rows = dict.fromkeys(TENANTS, 0)

    @property
    def tenant(self) -> UUID | None:
        return self.levels[-1][1] if self.levels else None

    def enter(self, level: AbstractContextManager[None], tenant: UUID | None) -> None:
        level.__enter__()
        self.levels.append((level, tenant, dict(self.rows)))

    @rule(number=st.integers(0, 1))
    def open_scope(self, number: int) -> None:
        wanted = TENANTS[number]
        if self.tenant in (None, wanted):
            self.enter(tenant_scope(wanted), wanted)
        else:
            with pytest.raises(TenantScopeConflict), tenant_scope(wanted):
                pass

    @rule()
    def open_transaction(self) -> None:
        self.enter(transaction.atomic(), self.tenant)

    @precondition(lambda self: self.levels)
    @rule()
    def close(self) -> None:
        self.levels.pop()[0].__exit__(None, None, None)

    @precondition(lambda self: self.levels)
    @rule()
    def close_rolled_back(self) -> None:
        transaction.set_rollback(True)
        level, _, self.rows = self.levels.pop()
        level.__exit__(None, None, None)

    @precondition(lambda self: self.levels)
    @rule(in_database=st.booleans())
    def break_off(self, in_database: bool) -> None:
        error: Exception = ValueError("broken off")
        if in_database:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 / 0")
            except DatabaseError as raised:
                error = raised
        level, _, self.rows = self.levels.pop()
        level.__exit__(type(error), error, None)

    @rule()
    def look_up_a_key(self) -> None:
        assert keys.find("fd_sk_unknown") is None

    @rule()
    def write(self) -> None:
        if self.tenant:
            audit.record(actor=self.mark, action="written")
            self.rows[self.tenant] += 1
        else:
            with pytest.raises(NoTenantScope):
                audit.record(actor=self.mark, action="written")

    @invariant()
    def python_and_database_know_the_same_tenant(self) -> None:
        if self.tenant:
            assert current_tenant_id() == self.tenant
        else:
            with pytest.raises(NoTenantScope):
                current_tenant_id()
        assert setting() == str(self.tenant or "")
        assert setting("key_hash") == ""

    @invariant()
    def the_tenants_own_rows_are_seen(self) -> None:
        with connection.cursor() as cursor:
            table = AuditEvent._meta.db_table
            cursor.execute(f"SELECT count(*) FROM {table} WHERE actor = %s", [self.mark])
            assert cursor.fetchone() == (self.rows[self.tenant] if self.tenant else 0,)

    def teardown(self) -> None:
        while self.levels:
            self.close()


def test_any_sequence(committed) -> None:
    TENANTS[:] = [found("shop").id, found("bank").id]
    run(
        Scopes,
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
