"""Customers over HTTP: who is whom, what is handed out, and what is erased, from models too."""

from __future__ import annotations

import json
import threading
from typing import Any

from django.db import connections

from saas.recommend import arrivals, recommender
from saas.recommend.models import Customer, Event, Recommendation
from tenants.models import AuditEvent
from tests.conftest import found

AT = "2024-05-01T10:00:00Z"


def event(item: str, **who: Any) -> dict[str, Any]:
    return {"item": item, "kind": "view", "at": AT} | who


def send(shop: Any, *rows: dict[str, Any]) -> list[str]:
    return [row["status"] for row in shop.call.post("events", list(rows)).json()["rows"]]


def merge(shop: Any, customer: str, anonymous: str) -> Any:
    return shop.call.post(f"customers/{customer}/merge", {"anonymous": anonymous})


def whose(shop: Any) -> dict[str, str]:
    found = shop.call.get("events").json()["results"]
    return {row["item"]: row["customer"] for row in found}


def test_attributes_are_kept_and_replaced(shop) -> None:
    rows = [{"id": "C/1 王", "attributes": {"城市": "上海", "visits": 3}}, {"id": "C2"}]
    assert shop.call.post("customers", rows).json()["created"] == 2
    assert shop.call.post("customers", rows).json()["unchanged"] == 2
    assert shop.call.post("customers", [{"id": "C2", "attributes": {"vip": True}}]).json()[
        "updated"
    ]

    listed = shop.call.get("customers").json()["results"]
    assert [(row["id"], row["attributes"]) for row in listed] == [
        ("C/1 王", {"城市": "上海", "visits": 3}),
        ("C2", {"vip": True}),
    ]
    assert shop.call.get("customers/C/1 王").json()["attributes"]["城市"] == "上海"
    bad = shop.call.post("customers", [{"id": "C3", "attributes": {"a": {}}}, {"id": ""}]).json()
    assert bad["failed"] == 2


def test_a_customer_of_events_alone_is_known_too(shop) -> None:
    send(shop, event("A", customer="C1"), event("B", customer="C1"))

    found = shop.call.get("customers/C1").json()

    assert (found["events"], found["first_event_at"], found["merged"]) == (2, AT, [])
    assert shop.call.get("customers/nobody").status_code == 404
    assert shop.call.get("customers/nobody/export").status_code == 404


def test_a_session_is_an_anonymous_customer_until_it_is_known(shop) -> None:
    send(shop, event("past", session="s1"), event("other", session="s2"))
    assert whose(shop) == {"past": "session:s1", "other": "session:s2"}

    send(shop, event("now", session="s1", customer="C1"))
    send(shop, event("later", session="s1"), event("late", customer="session:s1"))

    assert whose(shop) == {
        **{"past": "C1", "now": "C1", "later": "C1", "late": "C1"},
        "other": "session:s2",
    }
    # A resend is recognised although the first was moved meanwhile.
    assert send(shop, event("past", session="s1")) == ["unchanged"]
    # Whoever uses the browser next does not take the first one's past along.
    send(shop, event("second", session="s1", customer="C2"))
    assert whose(shop)["second"] == "C2"
    assert whose(shop)["past"] == "C1"


def test_a_merge_moves_everything_and_holds_for_what_comes(shop) -> None:
    shop.call.post("customers", [{"id": "anon", "attributes": {"a": 1, "b": 1}}])
    shop.call.post("customers", [{"id": "C1", "attributes": {"b": 2}}])
    send(shop, event("A", customer="anon"))
    with shop.scope():
        Recommendation.objects.create(kind="for_you", scenario="home", customer="anon")

    known = merge(shop, "C1", "anon").json()

    assert (known["id"], known["merged"], known["events"]) == ("C1", ["anon"], 1)
    assert known["attributes"] == {"a": 1, "b": 2}
    assert shop.call.get("customers/anon").json() == known
    assert merge(shop, "C1", "anon").json() == known
    with shop.scope():
        assert Recommendation.objects.get().customer == "C1"
    assert [row["id"] for row in shop.call.get("customers").json()["results"]] == ["C1"]
    # Merged on, all of them are the last one; before the first event is early enough.
    assert merge(shop, "C0", "C1").json()["merged"] == ["C1", "anon"]
    assert merge(shop, "C0", "to come").status_code == 200
    send(shop, event("B", customer="anon"), event("C", customer="to come"))
    assert set(whose(shop).values()) == {"C0"}


def test_a_merge_that_contradicts_is_refused(shop) -> None:
    merge(shop, "C1", "anon")

    refused = merge(shop, "C2", "anon")

    assert (refused.status_code, refused.json()["code"]) == (409, "merged_before")
    assert merge(shop, "C1", "C1").status_code == 400
    assert merge(shop, "anon", "C1").status_code == 400
    mixed = shop.call.post("events", [event("A", session="s", customer="session:t")]).json()
    assert "must not be a session itself" in mixed["rows"][0]["errors"][0]["message"]


def test_requests_of_an_anonymous_id_know_what_the_customer_did(shop) -> None:
    shop.call.post("items", [{"id": id_, "title": id_} for id_ in ("A", "B")])
    send(shop, event("A", customer="C1"))
    merge(shop, "C1", "session:s")

    picks = shop.call.post("recommendations", {"customer": "session:s", "again": False}).json()

    assert [pick["item"] for pick in picks["items"]] == ["B"]


def export(shop: Any, customer: str) -> dict[str, Any]:
    answer = shop.call.get(f"customers/{customer}/export")
    assert answer.status_code == 200
    whole: dict[str, Any] = json.loads(b"".join(answer.streaming_content))
    return whole


def test_an_export_is_complete_and_an_erasure_leaves_nothing(shop, bank) -> None:
    many = [event(f"物品 {n}", customer="C1", context={"n": n}) for n in range(1_000)]
    for business in (shop, bank):
        send(business, *many)
        send(business, event("A", session="s"), event("A", customer="C2"))
        business.call.post("items", [{"id": "A", "title": "A"}])
    shop.call.post("customers", [{"id": "C1", "attributes": {"name": "王小明"}}])
    merge(shop, "C1", "session:s")
    with shop.scope():
        Recommendation.objects.create(
            kind="for_you", scenario="home", customer="C1", items=[["A", "new", None, 0.0]]
        )

    whole = export(shop, "session:s")

    assert (whole["id"], whole["attributes"], whole["merged"]) == (
        "C1",
        {"name": "王小明"},
        ["session:s"],
    )
    assert {row["item"] for row in whole["events"]} == {row["item"] for row in many} | {"A"}
    assert [row["items"][0][0] for row in whole["recommendations"]] == ["A"]

    counts = {"customers": 2, "events": 1_001, "recommendations": 1, "conversations": 0}
    assert shop.call.delete("customers/C1").json() == counts
    assert shop.call.delete("customers/C1").json() == dict.fromkeys(counts, 0)

    assert shop.call.get("customers/C1").status_code == 404
    with shop.scope():
        assert [seen.customer for seen in recommender.read().events] == ["C2"]
        kept = [*Customer.objects.values(), *Event.objects.values()]
        kept += [*Recommendation.objects.values(), *AuditEvent.objects.values()]
        told = AuditEvent.objects.filter(action="customer.erased").first()
    assert "C1" not in str(kept)
    assert "session:s" not in str(kept)
    assert told.detail == {"events": 1_001, "recommendations": 1, "conversations": 0}
    # The id is anybody's again, and another tenant's customer of the same id was never touched.
    assert send(shop, event("A", session="s")) == ["created"]
    assert len(shop.call.get("events?customer=session:s").json()["results"]) == 1
    assert len(export(bank, "C1")["events"]) == 1_000


def test_no_event_is_left_behind_by_a_merge_at_the_same_moment(committed, monkeypatch) -> None:
    shop = found("shop")
    stored, merged = arrivals._insert, threading.Event()
    coming = threading.Event()

    def slowly(texts: list[str]) -> set[str]:
        coming.set()
        merged.wait(1.0)  # in vain: the merge waits for the event, not the event for the merge
        return stored(texts)

    def join() -> None:
        coming.wait(30)
        merge(shop, "C1", "session:s")
        merged.set()
        connections.close_all()

    monkeypatch.setattr(arrivals, "_insert", slowly)
    other = threading.Thread(target=join)
    other.start()
    send(shop, event("A", session="s"))
    other.join(30)

    assert whose(shop) == {"A": "C1"}
