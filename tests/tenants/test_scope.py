"""tenant_scope: who is asking, in Python and in the database at once."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from saas.chat.models import Reply
from tenants import audit, members, rls
from tenants.models import AuditEvent, Tenant
from tenants.scope import (
    NoTenantScope,
    TenantScopeConflict,
    current_tenant_id,
    every_tenant_id,
    tenant_scope,
)


def setting(name: str = "tenant_id") -> str:
    """The database's idea of who is asking; empty for nobody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [f"app.{name}"])
        return cursor.fetchone()[0]


def test_every_tenant_model_raises_without_a_scope(db: None) -> None:
    for model in rls.tenant_models():
        if model is not Tenant:
            with pytest.raises(NoTenantScope):
                model.objects.count()


def test_nothing_is_created_without_a_scope(db: None) -> None:
    with pytest.raises(NoTenantScope):
        Reply(name="en:hi")
    with pytest.raises(NoTenantScope):
        audit.record(actor="somebody", action="nothing")


def test_another_tenant_is_refused_inside_a_scope(shop, bank) -> None:
    with shop.scope():
        with pytest.raises(TenantScopeConflict), bank.scope():
            pass
        assert current_tenant_id() == shop.id
        assert setting() == str(shop.id)


def test_the_same_tenant_nests(shop) -> None:
    with shop.scope():
        with shop.scope():
            assert setting() == str(shop.id)
        assert current_tenant_id() == shop.id
        assert setting() == str(shop.id)
    assert setting() == ""


def fail() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def test_an_error_inside_takes_back_the_inner_part_only(shop) -> None:
    def write_and_fail() -> None:
        audit.record(actor="test", action="inner")
        fail()

    with shop.scope():
        audit.record(actor="test", action="outer")
        with pytest.raises(DatabaseError), shop.scope():
            write_and_fail()
        actions = set(AuditEvent.objects.filter(actor="test").values_list("action", flat=True))
        assert actions == {"outer"}
        assert setting() == str(shop.id)


def test_nothing_is_left_after_commit(committed) -> None:
    with tenant_scope(uuid4()):
        assert setting() != ""
    assert setting() == ""
    with pytest.raises(NoTenantScope):
        current_tenant_id()


def test_nothing_is_left_inside_an_outer_transaction(committed) -> None:
    with transaction.atomic():
        with tenant_scope(uuid4()):
            pass
        assert setting() == ""


def test_nothing_is_left_after_an_error(committed) -> None:
    with pytest.raises(DatabaseError), tenant_scope(uuid4()):
        fail()
    assert setting() == ""


def test_nothing_is_left_after_an_error_inside_an_outer_transaction(committed) -> None:
    with transaction.atomic():
        with pytest.raises(DatabaseError), tenant_scope(uuid4()):
            fail()
        assert setting() == ""


def test_a_scope_that_is_rolled_back_by_hand_leaves_nothing(db: None) -> None:
    with tenant_scope(uuid4()):
        transaction.set_rollback(True)
    assert setting() == ""


def test_look_ups_before_the_tenant_leave_nothing(shop, stranger) -> None:
    assert members.find_tenant_id("shop") == shop.id
    assert every_tenant_id() == [shop.id]
    assert stranger.get("items", Authorization="Bearer fd_sk_unknown").status_code == 401
    assert [setting(name) for name in ("tenant_id", "key_hash", "every_tenant")] == ["", "", ""]
    assert not Tenant.objects.exists()
