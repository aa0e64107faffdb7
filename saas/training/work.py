"""A worker's way through one run: read in scope, fit outside of any transaction, register in scope."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection

from saas import engine
from saas.training import runs, store
from saas.training.models import Run
from tenants.scope import tenant_scope

log = structlog.get_logger(__name__)
REPORT_EVERY = 0.5  # seconds between two progress reports without a line


def perform(tenant_id: UUID, run_id: UUID) -> None:
    """Do one run to its end: a version, a failure with its reason, or cancelled."""
    with tenant_scope(tenant_id):
        run = runs.take(run_id)
    if run is None:
        return
    try:
        with _lease_kept(tenant_id, run):
            _train(tenant_id, run)
    except runs.RunLost:
        log.warning("run lost", run=str(run_id))
    except runs.RunCancelled:
        _end(tenant_id, run, Run.State.CANCELLED, "Cancelled.")
    except OperationalError:
        raise  # the lease runs out and the run is taken up again
    except Exception as error:
        known = isinstance(error, _model_error())
        if not known:
            log.exception("run failed", run=str(run_id))
        message = str(error) if known else f"{type(error).__name__}: see the log of run {run_id}."
        _end(tenant_id, run, Run.State.FAILED, message)


def _train(tenant_id: UUID, run: Run) -> None:
    trainer = store.trainer(run.kind)
    with tenant_scope(tenant_id):
        runs.report(run, 0.0, "Reading.")
        data = trainer.read()
        champion = store.live(run.kind, encoder=engine.fingerprint())
        task = store.Task(
            run.step,
            run.options,
            store.checkpoints(run.kind, run.id),
        )
    report = _reporter(tenant_id, run)
    model = trainer.fit(data, task, progress=report)
    if champion is not None:
        model.metrics |= trainer.rival(model, champion, data)
    report(0.98, "Saving.")
    with tenant_scope(tenant_id):
        runs.renew(run)  # locks the run: no successor writes into the same folder meanwhile
        store.write(run.kind, run.id, model)
        made = store.Made(
            metrics=model.metrics,
            fingerprint=trainer.fingerprint(data),
            encoder=engine.fingerprint(),
        )
        runs.complete(run, made)
        _forget_checkpoints(run)


def _reporter(tenant_id: UUID, run: Run):  # type: ignore[no-untyped-def]
    """A progress function that writes at most a few times a second."""
    last = 0.0

    def report(share: float, line: str = "") -> None:
        nonlocal last
        if line or time.monotonic() - last >= REPORT_EVERY:
            last = time.monotonic()
            with tenant_scope(tenant_id):
                runs.report(run, share, line)

    return report


@contextmanager
def _lease_kept(tenant_id: UUID, run: Run) -> Iterator[None]:
    """Renew the lease from a thread, since a fit may not report for longer than the lease."""
    over = Event()

    def keep() -> None:
        try:
            while not over.wait(settings.RUN_LEASE_SECONDS / 4):
                with tenant_scope(tenant_id):
                    runs.renew(run)
        except (runs.RunLost, runs.RunCancelled):
            pass  # the work meets the same error at its next report
        except OperationalError:
            log.exception("lease not renewed", run=str(run.id))
        finally:
            connection.close()

    thread = Thread(target=keep, name=f"lease-{run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(tenant_id: UUID, run: Run, state: str, message: str) -> None:
    with tenant_scope(tenant_id):
        runs.fail(run, state, message)
        _forget_checkpoints(run)


def _forget_checkpoints(run: Run) -> None:
    if run.step == "tuned":
        shutil.rmtree(store.checkpoints(run.kind, run.id), ignore_errors=True)


def _model_error() -> type[Exception]:
    """What `ml` raises on purpose: its message says what is missing and what to do."""
    from ml.errors import ModelError

    return ModelError
