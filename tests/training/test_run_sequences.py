"""Whatever workers, customers and crashes do in whatever order: one open run, one version of a run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from saas.errors import Conflict
from saas.training import runs, store
from saas.training.models import LogLine, ModelVersion, Run
from tenants.scope import tenant_scope


class Runs(RuleBasedStateMachine):
    """One kind of run; `workers` are all that ever held it, the dead ones too."""

    tenant_id = None

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.scope = tenant_scope(self.tenant_id)
        self.scope.__enter__()
        self.run: Run | None = None
        self.state = "none"
        self.attempt = 0
        self.cancelled = self.lapsed = False
        self.workers: list[Run] = []
        self.made = 0

    def is_open(self) -> bool:
        return self.state in ("queued", "running")

    @rule()
    def start(self) -> None:
        if self.is_open():
            with pytest.raises(Conflict):
                runs.start("intent", actor="test")
            return
        self.run = runs.start("intent", actor="test")
        self.state, self.attempt = "queued", 0
        self.cancelled = self.lapsed = False

    @precondition(lambda self: self.run)
    @rule()
    def take(self) -> None:
        held = runs.take(self.run.id)
        free = self.state == "queued" or (self.state == "running" and self.lapsed)
        if not free:
            assert held is None
        elif self.cancelled:
            assert held is None
            self.state = "cancelled"
        elif self.attempt == runs.MAX_ATTEMPTS:
            assert held is None
            self.state = "failed"
        else:
            self.attempt += 1
            assert held.attempt == self.attempt
            self.workers.append(held)
            self.state, self.lapsed = "running", False

    @precondition(lambda self: self.is_open())
    @rule()
    def lapse(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Run.objects.filter(id=self.run.id).update(lease_until=past)
        self.lapsed = True

    @rule()
    def take_up(self) -> None:
        found = self.is_open() and self.lapsed
        assert runs.take_up() == found
        if found:
            self.state, self.lapsed = "queued", False

    @precondition(lambda self: self.run)
    @rule()
    def cancel(self) -> None:
        if not self.is_open():
            with pytest.raises(Conflict):
                runs.cancel(self.run.id, actor="test")
            return
        runs.cancel(self.run.id, actor="test")
        self.cancelled = True
        if self.state == "queued":
            self.state = "cancelled"

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), step=st.sampled_from(["report", "complete", "fail"]))
    def work(self, data: st.DataObject, step: str) -> None:
        worker = data.draw(st.sampled_from(self.workers))
        holds = (worker.id, worker.attempt, "running") == (self.run.id, self.attempt, self.state)
        lines = LogLine.objects.count()
        if step == "fail":
            runs.fail(worker, Run.State.FAILED, "It broke.")
            self.state = "failed" if holds else self.state
        elif not holds:
            with pytest.raises(runs.RunLost):
                self.do(step, worker)
        elif self.cancelled:
            with pytest.raises(runs.RunCancelled):
                self.do(step, worker)
            self.lapsed = self.lapsed and step == "complete"  # a refused report has renewed
        else:
            self.do(step, worker)
            if step == "report":
                self.lapsed = False
            else:
                self.state = "succeeded"
                self.made += 1
        assert holds or LogLine.objects.count() == lines

    @staticmethod
    def do(step: str, worker: Run) -> None:
        if step == "report":
            runs.report(worker, 0.5, "Working.")
        else:
            made = store.Made(metrics={"accuracy": 0.9}, fingerprint="", encoder="none")
            runs.complete(worker, made)

    @invariant()
    def the_run_is_where_it_should_be(self) -> None:
        if self.run:
            there = Run.objects.get(id=self.run.id)
            assert (there.state, there.attempt) == (self.state, self.attempt)
            assert (there.finished_at is None) == self.is_open()
            assert bool(there.error) == (self.state == "failed")
        assert Run.objects.filter(state__in=Run.OPEN).count() == self.is_open()

    @invariant()
    def every_finished_run_made_one_version(self) -> None:
        assert ModelVersion.objects.count() == self.made
        assert Run.objects.filter(state="succeeded").count() == self.made
        assert ModelVersion.objects.filter(active=True).count() == bool(self.made)

    def teardown(self) -> None:
        self.scope.__exit__(None, None, None)
        transaction.savepoint_rollback(self.point)


def test_any_sequence(shop) -> None:
    Runs.tenant_id = shop.id
    run(
        Runs,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
