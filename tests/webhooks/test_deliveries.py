"""What becomes of a delivery: tried again and again, given up, replayed; never twice at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from saas import outside
from saas.webhooks import calls, deliveries, endpoints, events, tasks
from saas.webhooks.models import Delivery, Event, Webhook
from tests import web
from tests.billing.test_parallel_calls import at_once
from tests.conftest import Caller, found
from tests.test_bad_input import problem
from tests.webhooks.conftest import make

EVER = {"since": "2020-01-01T00:00:00Z"}


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_told_once(hook, site, status: int) -> None:
    site.statuses = [status]
    hook.post("/test")
    hook.later()

    assert hook.types() == ["ping"]
    (delivery,) = hook.deliveries()
    assert (delivery["state"], delivery["due_at"]) == ("delivered", None)
    assert [(a["status"], a["error"]) for a in delivery["attempts"]] == [(status, "")]
    assert hook.now()["failing_since"] is None


def test_what_fails_is_tried_again_with_the_same_id_and_body(hook, site) -> None:
    site.statuses = [500, 503, 302]
    hook.post("/test")
    assert hook.now()["failing_since"]
    hook.later()
    hook.later()
    hook.later()

    (delivery,) = hook.deliveries("delivered")
    assert [a["status"] for a in delivery["attempts"]] == [500, 503, 302, 200]
    assert "redirects" in delivery["attempts"][2]["error"]
    assert len(hook.heard()) == 4
    assert len({(p.body, p.headers["webhook-id"]) for p in site.posted}) == 1
    assert hook.now()["failing_since"] is None


def test_tries_end_and_a_replay_begins_anew(hook, site) -> None:
    site.statuses = [500] * deliveries.TRIES
    hook.post("/test")
    for _ in range(deliveries.TRIES + 2):
        hook.later()
    (failed,) = hook.deliveries("failed")
    assert len(hook.heard()) == len(failed["attempts"]) == deliveries.TRIES

    hook.post(f"/deliveries/{failed['id']}/replay")

    assert hook.types() == ["ping"]
    (delivered,) = hook.deliveries("delivered")
    assert delivered["id"] == failed["id"]
    assert len(delivered["attempts"]) == deliveries.TRIES + 1


def test_pauses_grow_to_a_day_and_differ() -> None:
    pauses = [deliveries.pause(n) for n in range(1, deliveries.TRIES)]
    assert pauses == sorted(pauses)
    assert timedelta(hours=18) < sum(pauses, timedelta()) < timedelta(hours=30)
    assert deliveries.pause(1) != deliveries.pause(1)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/junk", "did not speak HTTP"),
        ("/drip", "too long"),
        ("/to/http://169.254.169.254/latest", "redirects"),
        ("/gone", "answered 404"),
    ],
)
def test_what_is_no_answer_is_a_failure(hook, site, monkeypatch, path: str, says: str) -> None:
    monkeypatch.setattr(calls, "SECONDS", 0.3)
    hook.change(url=f"{site.url}{path}")
    hook.post("/test")

    (delivery,) = hook.deliveries("waiting")
    assert says in delivery["attempts"][0]["error"]


@pytest.mark.parametrize("address", ["https://localhost/hook", "https://2130706433/hook"])
def test_a_name_that_means_an_inner_address_is_not_called(hook, site, address: str) -> None:
    hook.change(url=address)
    hook.post("/test")

    (delivery,) = hook.deliveries("waiting")
    assert "public server" in delivery["attempts"][0]["error"]
    assert site.posted == []


def test_a_server_taken_off_the_list_is_not_called_any_more(hook, site, settings) -> None:
    settings.OUTSIDE_ALLOWED = []
    hook.post("/test")

    assert site.posted == []
    assert "https://" in hook.deliveries()[0]["attempts"][0]["error"]


def test_a_slow_body_after_success_is_not_waited_for(hook, site) -> None:
    hook.change(url=f"{site.url}/slow")
    hook.post("/test")
    assert hook.deliveries()[0]["state"] == "delivered"


def test_a_receiver_that_does_not_answer_gets_a_rest(hook, site, shop, worked_off) -> None:
    hook.change(url=f"{site.url}/junk")
    with worked_off():
        shop.call.post("chat/messages", {"text": "hello"})

    assert len(site.posted) == 1  # the answer's message was not tried as well
    assert [len(d["attempts"]) for d in hook.deliveries()] == [0, 1]


def test_gone_switches_off(hook, site) -> None:
    site.statuses = [410]
    hook.post("/test")

    now = hook.now()
    assert not now["active"]
    assert "410" in now["reason"]


def test_days_of_failure_switch_off_and_a_success_between_does_not(hook, site, shop) -> None:
    def days_pass() -> None:
        with shop.scope():
            Webhook.objects.update(failing_since=timezone.now() - endpoints.FAILING)

    site.statuses = [500]
    hook.post("/test")
    days_pass()
    hook.later()
    assert hook.now()["active"]

    site.statuses = [500, 500]
    hook.post("/test")
    days_pass()
    hook.later()

    now = hook.now()
    assert not now["active"]
    assert "answered 500" in now["reason"]


def test_a_span_is_replayed_in_its_order(hook, shop, site, monkeypatch) -> None:
    monkeypatch.setattr(deliveries, "REPLAYED", 2)
    for score in (1, 2, 3):
        with shop.scope():
            events.emit("rating.given", {"score": score})
    hook.later()
    assert [told["data"]["score"] for told in hook.heard()] == [1, 2, 3]

    first = hook.post("/replay", EVER)
    second = hook.post("/replay", {"since": first["more_since"]})

    assert (first["replayed"], second["replayed"], second["more_since"]) == (2, 1, None)
    assert [told["data"]["score"] for told in hook.heard()] == [1, 2, 3]
    assert len(hook.deliveries()) == 3


@pytest.mark.parametrize("body", [{}, {"since": "yesterday"}, {"since": None}])
def test_a_replay_needs_a_time(hook, shop, body) -> None:
    problem(shop.call.post(f"webhooks/{hook.id}/replay", body), 400)


def test_what_is_old_is_forgotten(hook, shop, settings) -> None:
    hook.post("/test")
    with shop.scope():
        Event.objects.update(at=timezone.now() - events.KEPT)
    hook.post("/test")

    tasks.forget()

    assert len(hook.deliveries()) == 1
    with shop.scope():
        assert Event.objects.count() == 1


def test_workers_at_once_deliver_each_once_in_order(committed, settings) -> None:
    shop = found("shop")
    with web.serve() as site:
        settings.OUTSIDE_ALLOWED = [site.address]
        site.pages["/hook"] = ("text/plain", b"")
        hook = make(shop, site, None)
        for n in range(12):
            with shop.scope():
                events.emit("rating.given", {"score": n})

        at_once(4, lambda: calls.work_off(shop.id, UUID(hook.id)))

        assert [told["data"]["score"] for told in hook.heard()] == list(range(12))


def test_a_webhook_deleted_meanwhile_keeps_nothing_from_happening(committed, owner) -> None:
    shop = found("shop")
    webhook = shop.call.post("webhooks", {"url": "https://shop.example/hook"}).json()["id"]

    def waits() -> bool:
        owner.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(owner.fetchone()[0])

    def delete() -> Any:
        try:
            return Caller(shop.secret).delete(f"webhooks/{webhook}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        with shop.scope():
            events.emit("rating.given", {"score": 1})
            deleted = threads.submit(delete)
            while not deleted.done() and not waits():
                time.sleep(0.01)
        assert deleted.result().status_code == 204
    with shop.scope():
        assert (Event.objects.count(), Delivery.objects.count()) == (1, 0)


def test_a_long_round_goes_on_after_others(hook, shop, monkeypatch) -> None:
    monkeypatch.setattr(calls, "ROUND", 0.0)
    for score in (1, 2, 3):
        with shop.scope():
            events.emit("rating.given", {"score": score})

    hook.later()

    assert [told["data"]["score"] for told in hook.heard()] == [1, 2, 3]


def test_a_dead_workers_webhook_is_taken_up(hook, shop) -> None:
    with shop.scope():
        Webhook.objects.update(busy_until=timezone.now() + calls.LEASE)
    hook.post("/test")
    assert hook.heard() == []

    hook.later()  # the lease is over

    assert hook.types() == ["ping"]


def test_what_is_replayed_during_its_call_is_delivered_again(hook, site, monkeypatch) -> None:
    site.statuses = [500]
    hook.post("/test")
    hook.heard()
    (delivery,), fetch = hook.deliveries(), outside.fetch

    def replayed_meanwhile(*args: Any, **more: Any) -> outside.Answer:
        monkeypatch.setattr(outside, "fetch", fetch)
        hook.post(f"/deliveries/{delivery['id']}/replay")
        return fetch(*args, **more)

    monkeypatch.setattr(outside, "fetch", replayed_meanwhile)
    hook.later()

    assert hook.types() == ["ping", "ping"]
    assert [a["status"] for a in hook.deliveries("delivered")[0]["attempts"]] == [500, 200, 200]


STEPS = st.lists(
    st.sampled_from([200, 500, 410, "silence", "replay", "span", "on", "off"]), max_size=12
)


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_a_delivery_keeps_to_its_states(shop, site, worked_off, steps) -> None:
    """Whatever is answered and asked in whatever order; each answer is that of one round."""
    hook = make(shop, site, worked_off)
    with shop.scope():
        events.emit("rating.given", {"score": 1})
    state, tries, active = "waiting", 0, True
    for step in steps:
        called = isinstance(step, int) or step == "silence"
        if called:
            answer = (
                {"url": f"{site.url}/junk"} if step == "silence" else {"url": f"{site.url}/hook"}
            )
            with shop.scope():
                Webhook.objects.filter(id=hook.id).update(**answer)
            site.statuses = [step] if isinstance(step, int) else []
            before = len(site.posted)
            hook.later()
            assert len(site.posted) - before == (active and state == "waiting")
            if active and state == "waiting":
                tries += 1
                state = "delivered" if step == 200 else "waiting"
                state = "failed" if state == "waiting" and tries == deliveries.TRIES else state
                active = step != 410
        elif step in ("on", "off"):
            shop.call("PATCH", f"webhooks/{hook.id}", {"active": step == "on"})
            active = step == "on"
        else:
            path = (
                f"/deliveries/{hook.deliveries()[0]['id']}/replay"
                if step == "replay"
                else "/replay"
            )
            body = None if step == "replay" else EVER
            answered = shop.call.post(f"webhooks/{hook.id}{path}", body)
            assert answered.status_code == (202 if active else 409)
            if active:
                state, tries = "waiting", 0
        (delivery,) = hook.deliveries()
        assert (delivery["state"], hook.now()["active"]) == (state, active)
        with shop.scope():
            assert Delivery.objects.get(webhook=hook.id).tries == tries
    shop.call.delete(f"webhooks/{hook.id}")
    with shop.scope():
        Event.objects.all().delete()
