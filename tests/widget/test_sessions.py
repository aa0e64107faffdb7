"""Whose token is taken where: visitors' sessions, their renewal, and who a visitor is proven to be."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from saas.chat.models import Conversation
from saas.widget import sessions
from tenants import keys, visitors
from tenants.models import ApiKey
from tests.test_isolation import _content
from tests.widget.conftest import ORIGIN, Page, key_of


def later(monkeypatch: Any, seconds: float) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def refused(answer: Any, status: int = 401) -> str:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    said: str = answer.json()["message"]
    assert len(said) > 5
    return said


def secret_of(shop: Any) -> str:
    with shop.scope():
        id = ApiKey.objects.get(kind="pk").id
    found: str = shop.call.post(f"widgets/{id}/secret").json()["secret"]
    return found


def proof(secret: str, customer: str = "C1", *, lasts: float = 600, **claims: Any) -> str:
    return jwt.encode({"sub": customer, "exp": time.time() + lasts} | claims, secret)


def test_a_session_is_a_signature_and_no_row(shop) -> None:
    page = Page(key_of(shop))
    with shop.scope():
        ApiKey.objects.filter(kind="pk").update(last_used_at="2100-01-01T00:00:00Z")
    before = _content(shop)

    begun = page.begin()

    assert begun.status_code == 200
    assert begun.json()["conversation_id"] is None
    assert page.get("conversations").json() == []
    assert begun.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Set-Cookie" not in begun.headers
    assert _content(shop) == before


@pytest.mark.parametrize("origin", ["https://evil.example", "http://shop.example", "null", ""])
def test_a_stolen_key_is_of_no_use_on_another_origin(origin: str, shop) -> None:
    thief = Page(key_of(shop), origin=origin)

    answer = thief.begin()

    assert "not set up for this site" in refused(answer, 403)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_token_is_of_no_use_elsewhere(shop, bank, page) -> None:
    other = "https://other.example"
    both = Page(key_of(shop, ORIGIN, other))
    both.begin()
    both.origin = other
    assert "reload" in refused(both.get("conversations"))

    foreign = Page(key_of(bank))
    assert refused(foreign.begin(token=page.token))
    answer = shop.call.client.get(
        "/v1/conversations", headers={"Authorization": f"Bearer {page.token}", "Origin": ORIGIN}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["fd_vt_x", "fd_vt_", "nonsense", "", "fd_vt_é"])
def test_a_made_up_token_is_refused(token: str, page) -> None:
    refused(page.call("GET", "conversations", bearer=token or "x"))


def test_a_secret_key_is_not_for_pages(shop) -> None:
    refused(Page(shop.secret).begin(), 403)


def test_a_revoked_key_ends_its_sessions(shop, page) -> None:
    with shop.scope():
        keys.revoke(ApiKey.objects.get(kind="pk"), actor="test")

    refused(page.get("conversations"))
    refused(page.begin(token=page.token))


def test_a_token_expires_and_is_renewed(page, monkeypatch) -> None:
    later(monkeypatch, visitors.LIFETIME)  # the leeway is left
    assert page.get("conversations").status_code == 200
    later(monkeypatch, visitors.LEEWAY + 1)

    answer = page.get("conversations")

    refused(answer)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN  # the page may read that it has
    assert page.begin(token=page.token).status_code == 200
    assert page.get("conversations").status_code == 200
    later(monkeypatch, visitors.RENEWABLE + visitors.LEEWAY + 1)
    refused(page.begin(token=page.token))


def test_a_server_whose_clock_is_behind_takes_a_new_token(page, monkeypatch) -> None:
    later(monkeypatch, -visitors.LEEWAY + 1)
    assert page.get("conversations").status_code == 200
    later(monkeypatch, -60)
    refused(page.get("conversations"))


def test_a_replayed_token_is_refused_after_its_grace(page, monkeypatch) -> None:
    old = page.token
    conversation = page.say("Hello").json()["conversation_id"]
    assert page.begin(token=old).json()["conversation_id"] == conversation
    assert page.call("GET", "conversations", bearer=old).status_code == 200  # another tab
    again = Page(page.key)
    assert again.begin(token=old).status_code == 200  # at the same time: the same turn

    later(monkeypatch, sessions.GRACE + 1)

    refused(page.call("GET", "conversations", bearer=old))
    refused(page.begin(token=old))
    assert page.get("conversations").status_code == 200


def test_without_redis_tokens_are_as_good_as_their_signature(page, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert page.get("conversations").status_code == 200
    assert page.begin(token=page.token).status_code == 200


def test_a_proven_customer_has_their_own_conversations(shop, page, monkeypatch) -> None:
    anonymous = page.say("Hello").json()["conversation_id"]
    said = shop.call.post("chat/messages", {"text": "Hi", "customer": "C1"}).json()
    secret = secret_of(shop)

    known = page.begin(token=page.token, identity=proof(secret))

    assert known.json()["customer"] == "C1"
    ids = {one["id"] for one in page.get("conversations").json()}
    assert ids == {anonymous, said["conversation_id"]}
    with shop.scope():
        assert set(Conversation.objects.values_list("customer", flat=True)) == {"C1"}
    assert page.begin(token=page.token).json()["customer"] == "C1"
    later(monkeypatch, 600 + visitors.LEEWAY + 1)
    assert page.get("conversations").json() == []  # the proof has expired


def test_a_second_customer_on_a_device_gets_nothing_of_the_first(shop, page) -> None:
    secret = secret_of(shop)
    page.begin(token=page.token, identity=proof(secret, "C1"))
    page.say("My secret")

    page.begin(token=page.token, identity=proof(secret, "C2"))

    assert page.get("conversations").json() == []


@pytest.mark.parametrize(
    "forged",
    [
        lambda secret: proof("another secret, and one that is long enough"),
        lambda secret: proof(secret, lasts=-visitors.LEEWAY - 1),
        lambda secret: jwt.encode({"sub": "C1"}, secret),  # for ever
        lambda secret: jwt.encode({"sub": "C1", "exp": 2e9}, None, algorithm="none"),
        lambda secret: proof(secret, " "),
        lambda secret: proof(secret, "x" * 129),
        lambda secret: proof(secret, nbf=time.time() + visitors.LEEWAY + 60),
        lambda secret: "C1",
    ],
)
def test_a_proof_that_is_none_is_refused(forged: Any, shop, page) -> None:
    refused(page.begin(token=page.token, identity=forged(secret_of(shop))))


def test_a_clock_that_is_a_little_off_proves_all_the_same(shop, page) -> None:
    late, early = proof(secret_of(shop), lasts=-30), {"nbf": time.time() + 30}
    assert page.begin(identity=late).json()["customer"] == "C1"
    assert page.begin(identity=proof(secret_of(shop), **early)).json()["customer"] == "C1"


def test_any_page_may_ask_first_but_not_read(shop) -> None:
    asked = Page("").client.options(
        "/widget/session", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )
    assert asked.status_code == 204
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in asked.headers
