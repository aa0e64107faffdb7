"""Tenants are kept apart: at every route of the API, and in the database underneath it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connection, transaction
from django.test.client import MULTIPART_CONTENT, encode_multipart

from saas.api import View
from tenants import keys, rls
from tests import belongings, routes
from tests.conftest import Business, Caller, found

PUBLIC = {"openapi.json"}
# What another tenant sends to the routes without an id, naming the first tenant's things.
SENT: dict[str, Any] = {
    "chat/messages": {"text": "shop question?", "customer": "shop-customer"},
    "chat/completions": {
        "model": "frontdesk",
        "messages": [{"role": "user", "content": "shop question?"}],
        "user": "shop-customer",
    },
    "knowledge": [{"question": "shop question?", "answer": "mine"}],
    "replies": [{"intent": "shop_hi", "language": "en", "text": "mine"}],
    "examples": [{"text": "shop hello", "intent": "mine"}],
    "items": [{"id": "shop-item", "title": "mine"}],
    "events": [{"customer": "shop-customer", "item": "shop-item"}],
    "customers": [{"id": "shop-customer", "attributes": {"said": "mine"}}],
    "recommendations": {"customer": "shop-customer"},
    "recommendation-rules": {"name": "mine", "action": "hide", "items": ["x"]},
    "experiments": {
        "name": "mine",
        "scenario": "home",
        "metric": "ctr",
        "arms": [{"name": "mine", "share": 0.5}, {"name": "other", "share": 0.5}],
    },
    "training/runs": {"kind": "intent"},
    "training/schedule": {"every": "week"},
    "explanations": {"text": "shop hello"},
    "inbox/policy": {"unsure_after": 1},
    "inbox/canned": {"name": "mine", "language": "en", "text": "mine"},
    "safety/policy": {"words": ["mine"]},
    "composition": {"tokens_a_month": 1},
    "composition/prompts": {"text": "mine"},
    "corrections": {"text": "hey", "intent": "mine"},
    "challenges": {"version": str(uuid.UUID(int=0))},
    "versions/rollback": {"kind": "intent"},
    "labelling/turns": [
        {"conversation": "shop", "author": "customer", "text": "mine", "at": "2026-01-01T00:00:00Z"}
    ],
    "labelling/jobs": {"kind": "discover"},
    "labelling/labels": [{"turn": str(uuid.UUID(int=0)), "intent": "mine"}],
    "labelling/proposals": {"quality": 0.5},
    "knowledge/proposals": None,
    "keys": {"name": "mine"},
    "imports": {"kind": "items", "file": ("items.csv", b"id,title\nshop-item,mine\n")},
    "webhooks": {"url": "https://mine.example/hook"},
    "pages": {"urls": ["https://127.0.0.1/mine"]},
    "documents": {"file": ("mine.md", b"# mine\n")},
}
# The same of the routes with an id; an empty body where it is not here.
SENT_TO_ONE = {
    "messages/<uuid:id>/correction": {"intent": "mine"},
    "labelling/proposals/<uuid:id>": {"action": "reject"},
    "messages/<uuid:id>/feedback": {"helpful": False},
    "conversations/<uuid:id>/rating": {"score": 1},
    "inbox/<uuid:id>/take": {"agent": "mine"},
    "inbox/<uuid:id>/messages": {"agent": "mine", "text": "mine"},
    "inbox/<uuid:id>/release": {"agent": "mine"},
    "inbox/<uuid:id>/hand-back": {"agent": "mine"},
    "inbox/<uuid:id>/close": {"agent": "mine"},
    "inbox/<uuid:id>/assign": {"to": "mine"},
    "inbox/<uuid:id>/snooze": {"agent": "mine", "until": "2099-01-01T00:00:00Z"},
    "inbox/<uuid:id>/merge": {"agent": "mine", "into": str(uuid.UUID(int=0))},
    "inbox/<uuid:id>/tags": {"tags": ["mine"]},
    "inbox/<uuid:id>/notes": {"agent": "mine", "text": "mine"},
    "labelling/findings/<uuid:id>": {"state": "dismissed"},
    "customers/<identifier:id>/merge": {"anonymous": "session:mine"},
    "recommendation-rules/<uuid:id>": {"name": "mine", "action": "hide", "items": ["x"]},
    "actions/<identifier:id>": {"url": "https://mine.example/", "answer": {"en": "mine"}},
    "webhooks/<uuid:id>": {"active": False},
    "widgets/<uuid:id>": {"title": {"en": "mine"}},
    "webhooks/<uuid:id>/replay": {"since": "2026-01-01T00:00:00Z"},
}
# Named by the tenant itself: one that has none of that name makes its own.
MADE_BY_NAME = {("PUT", "actions/<identifier:id>")}
# The same, and answered whether there is one or not: a merge may come before the first event, and an
# erasure may be repeated.
FOR_ANY_NAME = {
    ("POST", "customers/<identifier:id>/merge"),
    ("DELETE", "customers/<identifier:id>"),
}
# What a tenant without a model or a turn is told there.
NOTHING_YET = {
    "explanations": "no_model",
    "events": "no_choice",
    "challenges": "no_version",
    "versions/rollback": "nothing_before",
    "labelling/labels": "no_turn",
}
# Tables that belong to no tenant, knowingly.
SHARED = {
    "account_emailaddress",
    "account_emailconfirmation",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "billing_plan",
    "billing_price",
    "django_celery_beat_clockedschedule",
    "django_celery_beat_crontabschedule",
    "django_celery_beat_intervalschedule",
    "django_celery_beat_periodictask",
    "django_celery_beat_periodictasks",
    "django_celery_beat_solarschedule",
    "django_content_type",
    "django_migrations",
    "django_session",
    "mfa_authenticator",
    "tenants_user",
    "tenants_user_groups",
    "tenants_user_user_permissions",
}
# Rows that may be read before a tenant is known, by naming them.
REVEALED = {
    ("tenants_tenant", "every_tenant"),
    ("tenants_invitation", "by_hash"),
    ("tenants_apikey", "by_hash"),
    ("tenants_member", "own"),
}


CALLS = [(method, route) for method, route, _ in routes.calls() if route not in PUBLIC]
BY_ID = [call for call in CALLS if "<" in call[1]]
WITHOUT_ID = [call for call in CALLS if "<" not in call[1]]
TABLES = [
    (model._meta.db_table, "id" if model._meta.db_table == "tenants_tenant" else "tenant_id")
    for model in rls.tenant_models()
]


def _path(route: str, ids: dict[str, str]) -> str:
    """The route with an object's id in it; a route of a new kind must be given one."""
    try:
        return routes.filled(route, ids.__getitem__)
    except KeyError as error:
        raise AssertionError(f"tests/belongings.py gives nothing to call {route} with") from error


def _unknown(route: str) -> str:
    return routes.filled(route, lambda _: str(uuid.uuid4()))


@contextmanager
def _undone() -> Iterator[None]:
    """What a call changes is taken back, so that each meets the same rows."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def _send(call: Caller, method: str, route: str) -> Any:
    if method == "GET":
        return call.get(route)
    assert route in SENT, f"test_isolation.py does not know what to send to {route}"
    sent = SENT[route]
    if not isinstance(sent, dict) or "file" not in sent:
        return call(method, route, sent)
    return call.client.post(
        f"/v1/{route}",
        encode_multipart("frame", sent | {"file": SimpleUploadedFile(*sent["file"])}),
        content_type=MULTIPART_CONTENT.replace("BoUnDaRyStRiNg", "frame"),
        headers={"Authorization": f"Bearer {call.secret}"},
    )


def _content(business: Business) -> dict[str, list[str]]:
    """Everything a tenant has, as text."""
    with business.scope(), connection.cursor() as cursor:
        found = {}
        for table, _ in TABLES:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            found[table] = [row[0] for row in cursor.fetchall()]
    return found


def test_only_the_document_of_the_api_is_public() -> None:
    assert {route for _, route, view in routes.calls() if not issubclass(view, View)} == PUBLIC


def test_no_route_answers_without_a_live_key(shop, stranger, subtests) -> None:
    with shop.scope():
        revoked, secret = keys.issue(name="revoked", actor="test")
        keys.revoke(revoked, actor="test")
    sent = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": shop.secret},
        {"Authorization": f"Basic {shop.secret}"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {shop.secret}x"},
        {"Authorization": f"Bearer {shop.secret[:-1]}"},
        {"Authorization": f"Bearer {secret}"},
    ]
    for method, route in CALLS:
        with subtests.test(f"{method} {route}"):
            answers = [stranger(method, _unknown(route), {}, **headers) for headers in sent]
            assert [answer.status_code for answer in answers] == [401] * len(sent)
            assert all(answer.headers["WWW-Authenticate"] for answer in answers)


def test_what_is_another_tenants_is_not_there(shop, bank, subtests) -> None:
    ids = belongings.give(shop)
    before = _content(shop)
    for method, route in BY_ID:
        with subtests.test(f"{method} {route}"):
            body = SENT_TO_ONE.get(route, {})
            if (method, route) in MADE_BY_NAME:
                assert bank.call(method, _path(route, ids), body).status_code == 201
                assert bank.call("DELETE", _path(route, ids)).status_code == 204
                continue
            if (method, route) in FOR_ANY_NAME:
                with _undone():
                    answer = bank.call(method, _path(route, ids), body)
                    assert answer.status_code == 200, answer.content
                    assert _content(shop) == before
                continue
            answer = bank.call(method, _path(route, ids), body)
            never = bank.call(method, _unknown(route), body)
            assert answer.status_code == 404, answer.content
            assert answer.content == never.content, "it can be told from what does not exist"
    assert _content(shop) == before


def test_the_same_call_reaches_the_tenants_own(shop, subtests) -> None:
    """Else the test above would prove nothing."""
    ids = belongings.give(shop)
    for method, route in BY_ID:
        with subtests.test(f"{method} {route}"), _undone():
            answer = shop.call(method, _path(route, ids), SENT_TO_ONE.get(route, {}))
            assert answer.status_code in (200, 201, 202, 204, 409), answer.content


def test_no_answer_shows_another_tenants_rows(shop, bank, subtests) -> None:
    ids = belongings.give(shop)
    before = _content(shop)
    for method, route in WITHOUT_ID:
        with subtests.test(f"{method} {route}"), _undone():
            answer = _send(bank.call, method, route)
            if answer.status_code not in (200, 201, 202):
                assert answer.json()["code"] == NOTHING_YET.get(route), answer.content
            shown = answer.content.decode()
            assert not [value for value in (*ids.values(), shop.slug) if value in shown]
            assert answer.json().get("updated", 0) == 0
            assert _content(shop) == before


def test_a_conversation_of_another_tenant_cannot_be_gone_on_with(shop, bank) -> None:
    ids = belongings.give(shop)
    before = _content(shop)

    message = {"text": "hello", "conversation_id": ids["conversations"]}
    answer = bank.call.post("chat/messages", message)

    assert answer.status_code == 404
    assert _content(shop) == before


def test_an_idempotency_key_belongs_to_its_tenant(shop, bank) -> None:
    belongings.give(shop)

    answer = bank.call.post("items", SENT["items"], **{"Idempotency-Key": "first"})

    assert answer.status_code == 200, answer.content
    assert "Idempotent-Replayed" not in answer.headers


def test_the_role_is_below_row_security(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
                      EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid),
                      EXISTS (SELECT FROM pg_class WHERE relowner = r.oid),
                      EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid)
               FROM pg_roles r WHERE rolname = current_user AND current_user = session_user"""
        )
        assert cursor.fetchone() == (False,) * 8


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (id int)",
        "ALTER TABLE chat_reply DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE chat_reply NO FORCE ROW LEVEL SECURITY",
        "ALTER POLICY tenant ON chat_reply USING (true)",
        "DROP POLICY tenant ON chat_reply",
        "CREATE POLICY mine ON chat_reply USING (true)",
        "TRUNCATE chat_reply",
        "CREATE TRIGGER mine AFTER INSERT ON chat_reply EXECUTE FUNCTION now()",
        "SET ROLE frontdesk_owner",
        "SET SESSION AUTHORIZATION frontdesk_owner",
        "SET LOCAL row_security = off; SELECT * FROM chat_reply",
        "ALTER ROLE current_user BYPASSRLS",
    ],
)
def test_the_role_cannot_lower_the_wall(statement: str, db: None) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_every_table_is_a_tenants_or_shared_knowingly(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
                                         AND a.attname = 'tenant_id' AND NOT a.attisdropped)
               FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""
        )
        found = dict(cursor.fetchall())
    owned = {table for table, has_tenant in found.items() if has_tenant}
    assert owned == {table for table, _ in TABLES} - {"tenants_tenant"}
    assert set(found) - owned - {"tenants_tenant"} == SHARED


def test_every_tenant_table_has_its_policy(db: None) -> None:
    assert rls.unprotected_tables() == []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
               AND relrowsecurity AND relforcerowsecurity"""
        )
        assert {row[0] for row in cursor.fetchall()} == {table for table, _ in TABLES}
        cursor.execute(
            """SELECT tablename, policyname, permissive, cmd, qual, with_check FROM pg_policies
               WHERE schemaname = 'public'"""
        )
        policies = {(table, name): rest for table, name, *rest in cursor.fetchall()}
    for table, column in TABLES:
        setting = "NULLIF(current_setting('app.tenant_id'::text, true), ''::text)"
        rule = f"({column} = ({setting})::uuid)"
        assert policies.pop((table, "tenant")) == ["PERMISSIVE", "ALL", rule, rule]
    assert set(policies) == REVEALED
    assert {cmd for _, cmd, *_ in policies.values()} == {"SELECT"}


def _sees_only(cursor: Any, table: str, column: str, tenant_id: uuid.UUID) -> None:
    cursor.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {column} <> %s) FROM {table}", [tenant_id]
    )
    seen, foreign = cursor.fetchone()
    assert seen, f"tests/belongings.py puts no row into {table}"
    assert not foreign, f"{table} shows {foreign} rows of other tenants"


def _refused(cursor: Any, statement: str, values: list[Any]) -> None:
    """Touches no row, or is refused altogether."""
    with suppress(DatabaseError), transaction.atomic():
        cursor.execute(statement, values)
        assert cursor.rowcount == 0, statement


def test_raw_sql_sees_one_tenant(shop, bank) -> None:
    for business in (shop, bank):
        belongings.give(business)
    for business in (shop, bank):
        with business.scope(), connection.cursor() as cursor:
            for table, column in TABLES:
                _sees_only(cursor, table, column, business.id)


def test_raw_sql_sees_nothing_without_a_scope(shop) -> None:
    belongings.give(shop)
    with connection.cursor() as cursor:
        for table, _ in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


def test_raw_sql_changes_no_row_of_another_tenant(shop, bank) -> None:
    belongings.give(shop)
    before = _content(shop)
    with bank.scope(), connection.cursor() as cursor:
        for table, column in TABLES:
            foreign = f"WHERE {column} = %s"
            _refused(cursor, f"UPDATE {table} SET {column} = {column} {foreign}", [shop.id])
            _refused(cursor, f"DELETE FROM {table} {foreign}", [shop.id])
    assert _content(shop) == before


def test_raw_sql_puts_no_row_into_another_tenant(shop, bank, subtests) -> None:
    belongings.give(bank)
    for table, column in TABLES:
        with subtests.test(table), bank.scope(), connection.cursor() as cursor:
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                cursor.execute(_copy(cursor, table, column), [shop.id])
            with pytest.raises(DatabaseError, match=r"row-level|denied"), transaction.atomic():
                cursor.execute(f"UPDATE {table} SET {column} = %s", [shop.id])


def _copy(cursor: Any, table: str, column: str) -> str:
    """A statement that copies a row, its tenant replaced."""
    cursor.execute(
        """SELECT quote_ident(attname) FROM pg_attribute
           WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped""",
        [table],
    )
    columns = [row[0] for row in cursor.fetchall()]
    values = ", ".join("%s" if name == column else name for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} LIMIT 1"


@contextmanager
def _weakened(owner: Any, statement: str) -> Iterator[None]:
    """The owner lowers the wall of chat_reply for a while."""
    try:
        owner.execute("SET lock_timeout = '10s'")
        owner.execute(statement)
        yield
    finally:
        owner.execute("DROP POLICY IF EXISTS tenant ON chat_reply")
        owner.execute("DROP POLICY IF EXISTS more ON chat_reply")
        for part in rls.protect("chat_reply").sql:
            owner.execute(part)


@pytest.mark.parametrize(
    ("statement", "leaks"),
    [
        ("DROP POLICY tenant ON chat_reply", False),  # the database then shows nothing at all
        (
            "ALTER TABLE chat_reply NO FORCE ROW LEVEL SECURITY",
            False,
        ),  # the owner alone is above it
        ("ALTER TABLE chat_reply DISABLE ROW LEVEL SECURITY", True),
        ("ALTER POLICY tenant ON chat_reply USING (true)", True),
        ("CREATE POLICY more ON chat_reply FOR SELECT USING (true)", True),
        ("CREATE POLICY more ON chat_reply FOR DELETE USING (true)", False),
    ],
)
def test_a_lowered_wall_is_noticed(statement: str, leaks: bool, committed, owner) -> None:
    shop, bank = found("shop"), found("bank")
    for business in (shop, bank):
        business.call.post("replies", [{"intent": "hi", "language": "en", "text": business.slug}])

    def isolated() -> bool:
        with shop.scope(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM chat_reply WHERE tenant_id <> %s", [shop.id])
            return cursor.fetchone() == (0,)

    with _weakened(owner, statement):
        assert rls.unprotected_tables() == ["chat_reply"]
        assert isolated() is not leaks
        with pytest.raises(SystemCheckError, match="chat_reply is not behind row security"):
            call_command("check", databases=["default"])

    assert rls.unprotected_tables() == []
    assert isolated()
    call_command("check", databases=["default"])
