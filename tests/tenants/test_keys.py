"""API keys over their life: issued, used, rotated, expired, revoked."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tenants import keys, rls
from tenants.models import ApiKey
from tests.conftest import Business, Caller


def issue(business: Business, **body: object) -> tuple[str, Caller]:
    """A new key over the API: its id and a client that uses it."""
    answer = business.call.post("keys", {"name": "another", **body})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"], Caller(answer.json()["secret"])


def change(business: Business, key_id: str, **fields: object) -> None:
    with business.scope():
        assert ApiKey.objects.filter(id=key_id).update(**fields) == 1


def refused(caller: Caller) -> bool:
    answer = caller.get("items")
    assert answer.status_code in (200, 401), answer.content
    return answer.status_code == 401


def test_a_new_key_works_and_shows_its_secret_once(shop) -> None:
    key_id, caller = issue(shop)

    assert not refused(caller)
    assert caller.secret.startswith("fd_sk_")
    listed = shop.call.get("keys")
    assert key_id in listed.content.decode()
    assert caller.secret not in listed.content.decode()


def test_no_table_holds_a_secret(shop) -> None:
    key_id, caller = issue(shop)
    secrets = [caller.secret, shop.call.post(f"keys/{key_id}/rotate", {}).json()["secret"]]
    random_parts = [secret[12:] for secret in secrets]

    with shop.scope(), connection.cursor() as cursor:
        for model in rls.tenant_models():
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")
            stored = "\n".join(row[0] for row in cursor.fetchall())
            assert not [part for part in random_parts if part in stored], model

    with shop.scope():
        key = ApiKey.objects.get(id=key_id)
    assert (key.hash, key.prefix) == (keys.digest(caller.secret), caller.secret[:12])


def test_an_idempotency_key_does_not_keep_a_secret(shop) -> None:
    body, once = {"name": "another"}, {"Idempotency-Key": "once"}
    first = shop.call.post("keys", body, **once).json()
    second = shop.call.post("keys", body, **once).json()
    assert first["secret"] != second["secret"]


def test_a_revoked_key_is_refused_at_once(shop) -> None:
    key_id, caller = issue(shop)
    assert shop.call.delete(f"keys/{key_id}").status_code == 204
    assert refused(caller)
    assert shop.call.delete(f"keys/{key_id}").status_code == 204  # nothing more happens


def test_an_expired_key_is_refused(shop) -> None:
    key_id, caller = issue(shop, days=1)
    assert not refused(caller)
    change(shop, key_id, expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(caller)


def test_rotated_keys_overlap(shop) -> None:
    key_id, old = issue(shop, scopes=["items:read"])
    answer = shop.call.post(f"keys/{key_id}/rotate", {"overlap_hours": 2})
    new = Caller(answer.json()["secret"])

    assert answer.json()["scopes"] == ["items:read"]
    assert not refused(old)
    assert not refused(new)
    with shop.scope():
        left = ApiKey.objects.get(id=key_id).expires_at - timezone.now()
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)
    change(shop, key_id, expires_at=timezone.now())
    assert refused(old)
    assert not refused(new)


def test_rotation_without_overlap_ends_the_old_key(shop) -> None:
    key_id, old = issue(shop)
    assert shop.call.post(f"keys/{key_id}/rotate", {"overlap_hours": 0}).status_code == 201
    assert refused(old)


def test_rotation_gives_no_key_a_longer_life(shop) -> None:
    key_id, _ = issue(shop)
    soon = timezone.now() + timedelta(minutes=5)
    change(shop, key_id, expires_at=soon)
    shop.call.post(f"keys/{key_id}/rotate", {"overlap_hours": 24})
    with shop.scope():
        assert ApiKey.objects.get(id=key_id).expires_at == soon


def test_a_revoked_key_is_not_rotated(shop) -> None:
    key_id, _ = issue(shop)
    shop.call.delete(f"keys/{key_id}")
    answer = shop.call.post(f"keys/{key_id}/rotate", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_revoked")


def test_last_use_is_noted_once_a_minute(shop) -> None:
    def last_used() -> object:
        return {key["id"]: key["last_used_at"] for key in shop.call.get("keys").json()["results"]}[
            key_id
        ]

    key_id, caller = issue(shop)
    assert last_used() is None
    caller.get("items")
    first = last_used()
    assert first is not None
    caller.get("items")
    assert last_used() == first
    change(shop, key_id, last_used_at=timezone.now() - timedelta(minutes=2))
    caller.get("items")
    assert last_used() > first


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"name": "x", "kind": "root"},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "days": 0},
        {"name": "x", "kind": "pk"},
        {"name": "x", "kind": "pk", "origins": ["shop.example"]},
        {"name": "x", "kind": "pk", "origins": ["https://*"]},
        {"name": "x", "kind": "pk", "origins": ["https://shop.example"], "scopes": ["items:read"]},
        {"name": "x", "kind": "sk", "origins": ["https://shop.example"]},
        {"name": "x", "tenant": "another"},
        ["x"],
    ],
)
def test_a_key_that_makes_no_sense_is_refused(body: object, shop) -> None:
    answer = shop.call.post("keys", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["detail"]
