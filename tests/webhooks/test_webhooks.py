"""Webhooks themselves: where they may lead, their secrets, on and off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Checker

from saas.webhooks import endpoints
from saas.webhooks.models import Webhook
from tests.test_bad_input import problem
from tests.webhooks.conftest import make


def test_a_secret_is_shown_once_and_stored_sealed(hook, shop) -> None:
    assert hook.secret.startswith("whsec_")
    shown = shop.call.get("webhooks").content.decode() + str(hook.now())
    assert hook.secret not in shown
    with shop.scope():
        row = Webhook.objects.values().get()
    assert hook.secret.removeprefix("whsec_") not in str(row)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://shop.example/hook", "must begin with https://"),
        ("https://127.0.0.1/hook", "public server"),
        ("https://[::ffff:10.0.0.1]/hook", "public server"),
        ("https://169.254.169.254/latest", "public server"),
        ("https://me:secret@shop.example/", "password"),
        ("https://shop.example:6379/", "ports 80 and 443"),
        ("https://[::1/", "not a web address"),
        ("ftp://shop.example/", "url"),
        ("hook", "url"),
        (5, "url"),
    ],
)
def test_an_address_that_is_never_called_is_refused(shop, hook, url, says: str) -> None:
    assert says in problem(shop.call.post("webhooks", {"url": url}), 400)
    assert says in problem(shop.call("PATCH", f"webhooks/{hook.id}", {"url": url}), 400)
    assert hook.now()["url"].endswith("/hook")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "https://shop.example/", "events": []},
        {"url": "https://shop.example/", "events": ["message.deleted"]},
    ],
)
def test_a_webhook_needs_an_address_and_known_events(shop, body) -> None:
    problem(shop.call.post("webhooks", body), 400)


def test_there_is_an_end_to_webhooks(shop, monkeypatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 1)
    body = {"url": "https://shop.example/hook"}
    assert shop.call.post("webhooks", body).status_code == 201

    problem(shop.call.post("webhooks", body), 409, "too_many_webhooks")


def test_a_rotated_secret_signs_and_the_old_one_too_for_a_while(hook, shop, site) -> None:
    old = hook.secret
    hook.secret = hook.post("/rotate", {"overlap_hours": 1})["secret"]
    assert hook.secret != old
    hook.post("/test")
    assert hook.types() == ["ping"]
    assert Checker(old).verify(site.posted[-1].body, site.posted[-1].headers)

    with shop.scope():
        Webhook.objects.update(former_until=timezone.now() - timedelta(seconds=1))
    hook.post("/test")

    assert hook.types() == ["ping"]
    assert " " not in site.posted[-1].headers["webhook-signature"]


def test_a_new_secret_key_reads_what_its_fallbacks_sealed(hook, settings) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    hook.post("/test")
    assert hook.types() == ["ping"]

    settings.SECRET_KEY_FALLBACKS = []
    hook.post("/test")

    assert hook.types() == []
    now = hook.now()
    assert (now["active"], "rotate" in now["reason"]) == (False, True)
    hook.secret = hook.post("/rotate")["secret"]
    hook.change(active=True)
    assert hook.types() == ["ping"]  # the one that could not be signed


def test_nothing_is_sent_while_it_is_off(hook, shop) -> None:
    hook.change(active=False)
    shop.call.post("chat/messages", {"text": "hello"})
    hook.later()
    assert hook.heard() == []
    for path, body in [("test", None), ("replay", {"since": "2026-01-01T00:00:00Z"})]:
        problem(shop.call.post(f"webhooks/{hook.id}/{path}", body), 409, "switched_off")

    assert hook.change(active=True)["reason"] == ""
    assert hook.heard() == []  # what happened meanwhile is told when it is asked for
    hook.post("/replay", {"since": "2026-01-01T00:00:00Z"})

    assert hook.types() == ["message.created", "message.created"]


def test_a_changed_webhook_hears_elsewhere_and_of_else(hook, site, do_rating) -> None:
    site.pages["/new"] = ("text/plain", b"")
    changed = hook.change(url=f"{site.url}/new", events=["rating.given"])
    assert changed["events"] == ["rating.given"]

    do_rating()

    assert hook.types() == ["rating.given"]
    assert site.posted[-1].path == "/new"


@pytest.fixture
def do_rating(shop, worked_off):
    def rate() -> None:
        with worked_off():
            talk = shop.call.post("chat/messages", {"text": "hello"}).json()["conversation_id"]
            shop.call.post(f"conversations/{talk}/rating", {"score": 5})

    return rate


def test_a_deleted_webhook_hears_nothing(hook, shop, do_rating) -> None:
    hook.post("/test")
    hook.heard()
    assert shop.call.delete(f"webhooks/{hook.id}").status_code == 204

    do_rating()

    assert hook.heard() == []
    problem(shop.call.get(f"webhooks/{hook.id}/deliveries"), 404)


def test_deliveries_of_another_webhook_are_not_there(hook, shop, site, worked_off) -> None:
    other = make(shop, site, worked_off)
    ping = other.post("/test")

    problem(shop.call.post(f"webhooks/{hook.id}/deliveries/{ping['id']}/replay"), 404)
