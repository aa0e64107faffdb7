"""Audit events and usage records stay as they were written: the database sees to it."""

import pytest
from django.db import DatabaseError, transaction

from saas.billing import usage
from saas.billing.models import UsageRecord
from tenants import audit, rls
from tenants.models import AuditEvent

KEPT = [AuditEvent, UsageRecord]


@pytest.fixture
def written(shop):
    with shop.scope():
        audit.record(actor="test", action="written")
        usage.record(key="one", kind="chat_message", api_key=None)
        yield shop


def test_these_are_all() -> None:
    assert [m for m in rls.tenant_models() if getattr(m, "append_only", False)] == KEPT


@pytest.mark.parametrize("model", KEPT)
def test_no_row_is_changed(model, written) -> None:
    row = model.objects.first()
    for change in (
        lambda: model.objects.update(id=1),
        lambda: row.save(),
        lambda: model.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["id"], update_fields=["tenant"]
        ),
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()


@pytest.mark.parametrize("model", KEPT)
def test_no_row_is_deleted(model, written) -> None:
    before = model.objects.count()
    for delete in (lambda: model.objects.all().delete(), lambda: model.objects.first().delete()):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            delete()
    assert model.objects.count() == before > 0


def test_what_is_taken_back_is_not_on_record(shop) -> None:
    with shop.scope():
        audit.record(actor="test", action="nothing")
        transaction.set_rollback(True)
    with shop.scope():
        assert not AuditEvent.objects.filter(actor="test").exists()
