"""Whatever is reserved, settled, cancelled and forgotten in whatever order: the count is exact."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from saas.billing import quota
from saas.billing.models import Quota, Reservation
from saas.errors import QuotaExceeded
from tenants.scope import tenant_scope

KIND = "chat_message"


class Counting(RuleBasedStateMachine):
    tenant_id = None

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.scope = tenant_scope(self.tenant_id)
        self.scope.__enter__()
        self.limit = self.used = 0
        self.late = 0  # settled after the reservation had been given back: served, so counted
        self.held: list[quota.Hold] = []
        self.expired: list[quota.Hold] = []
        self.released: list[quota.Hold] = []

    @initialize(limit=st.integers(0, 12))
    def open(self, limit: int) -> None:
        self.limit = limit
        Quota.objects.create(kind=KIND, period=quota.period_of(timezone.now().date()), limit=limit)

    def reserved(self) -> int:
        return sum(hold.units for hold in self.held + self.expired)

    @rule(units=st.integers(1, 5))
    def reserve(self, units: int) -> None:
        fits = self.used + self.reserved() + units <= self.limit
        try:
            self.held.append(quota.reserve(KIND, units))
        except QuotaExceeded:
            assert not fits
        else:
            assert fits

    @rule(units=st.integers(1, 5))
    def spend(self, units: int) -> None:
        fits = self.used + self.reserved() + units <= self.limit
        try:
            quota.spend(KIND, units)
        except QuotaExceeded:
            assert not fits
        else:
            assert fits
            self.used += units

    @precondition(lambda self: self.held or self.expired)
    @rule(data=st.data(), done=st.booleans())
    def end(self, data: st.DataObject, done: bool) -> None:
        hold = data.draw(st.sampled_from(self.held + self.expired))
        (self.held if hold in self.held else self.expired).remove(hold)
        if done:
            quota.settle(hold)
            self.used += hold.units
        else:
            quota.cancel(hold)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(self.held))
        Reservation.objects.filter(id=hold.id).update(
            expires_at=timezone.now() - timedelta(seconds=1)
        )
        self.held.remove(hold)
        self.expired.append(hold)

    @rule()
    def release(self) -> None:
        assert quota.release() == len(self.expired)
        self.released += self.expired
        self.expired = []

    @precondition(lambda self: self.released)
    @rule(done=st.booleans())
    def end_late(self, done: bool) -> None:
        hold = self.released.pop()
        if done:
            quota.settle(hold)
            self.used += hold.units
            self.late += hold.units
        else:
            quota.cancel(hold)

    @invariant()
    def the_count_is_exact(self) -> None:
        there = Quota.objects.first()
        if there is not None:
            assert (there.used, there.reserved) == (self.used, self.reserved())
            assert there.used + there.reserved <= self.limit + self.late

    def teardown(self) -> None:
        self.scope.__exit__(None, None, None)
        transaction.savepoint_rollback(self.point)


def test_any_sequence(shop) -> None:
    Counting.tenant_id = shop.id
    run(
        Counting,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
