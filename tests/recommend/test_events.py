"""POST /v1/events: what customers did, counted once, dated plausibly."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.utils import timezone

from saas.recommend import recommender, robots
from saas.recommend.models import Event

VIEW = {"customer": "C1", "item": "T1", "kind": "view", "at": "2024-05-01T10:00:00Z"}


def test_an_event_sent_twice_counts_once(shop) -> None:
    same_moment = VIEW | {"at": "2024-05-01T18:00:00+08:00"}

    first = shop.call.post("events", [VIEW, same_moment]).json()
    again = shop.call.post("events", [VIEW]).json()

    assert [row["status"] for row in first["rows"]] == ["created", "unchanged"]
    assert again["unchanged"] == 1
    with shop.scope():
        assert Event.objects.count() == 1


def test_events_of_items_to_come_are_kept(shop) -> None:
    assert shop.call.post("events", [VIEW | {"item": "not yet there"}]).json()["created"] == 1


def test_a_time_without_a_zone_is_utc_and_none_is_now(shop) -> None:
    shop.call.post(
        "events", [VIEW | {"at": "2024-05-01 10:00:00"}, {"customer": "C2", "item": "T"}]
    )

    with shop.scope():
        dated, now = Event.objects.order_by("at")
    assert dated.at.isoformat() == "2024-05-01T10:00:00+00:00"
    assert timezone.now() - now.at < timedelta(minutes=1)


def test_implausible_times_and_kinds_are_refused_row_by_row(shop) -> None:
    tomorrow = (timezone.now() + timedelta(days=2)).isoformat()
    rows = [
        VIEW | {"at": tomorrow},
        VIEW | {"at": "0001-01-01T00:00:00+14:00"},
        VIEW | {"at": "yesterday"},
        VIEW | {"at": "1970-01-01T00:00:00Z"},
        VIEW | {"at": 1e300},
        VIEW | {"kind": "stole"},
        VIEW | {"value": -1},
        VIEW | {"value": "much"},
        VIEW | {"customer": "a\tb"},
    ]

    answer = shop.call.post("events", rows).json()

    assert answer["failed"] == len(rows)
    said = [row["errors"][0]["message"] for row in answer["rows"]]
    assert "lies in the future" in said[0]
    assert "no such time" in said[1]
    assert "before 1990" in said[3]
    assert "'buy'" in said[5]
    assert "control character" in said[8]


def test_a_time_of_any_zone_is_the_moment_that_it_means(shop) -> None:
    events = [
        {"customer": "C1", "item": "A", "at": at}
        for at in ("2000-09-29T05:39:51-20:57", "2000-09-30T02:36:51Z", "2000-09-30T02:36:51")
    ]

    rows = shop.call.post("events", events).json()["rows"]

    assert [row["status"] for row in rows] == ["created", "unchanged", "unchanged"]


ALL = {
    "customer": "C1",
    "session": "s1",
    "item": "T1",
    "kind": "buy",
    "value": 39.8,
    "quantity": 2,
    "context": {"页面": "购物车", "new": True},
    "recommendation": "5e0f4a52-5f2c-4d27-9f5e-0d6d1f2b7a11",
    "at": "2024-05-01T10:00:00Z",
}


def test_all_that_an_event_says_is_kept(shop) -> None:
    assert shop.call.post("events", [ALL]).json()["created"] == 1

    (row,) = shop.call.get("events?customer=C1&kind=buy").json()["results"]

    assert {name: row[name] for name in ALL if name != "session"} == {
        name: value for name, value in ALL.items() if name != "session"
    }
    assert shop.call.get(f"events/{row['id']}").json() == row


def test_every_kind_is_taken_and_the_same_moment_tells_them_apart(shop) -> None:
    kinds = ("impression", "view", "click", "cart", "buy", "rate", "share", "comment")
    rows = [VIEW | {"kind": kind} for kind in kinds]
    rows += [VIEW | {"kind": "custom", "name": name} for name in ("到店", "call")]
    rows += [VIEW | {"quantity": 2}, VIEW | {"recommendation": ALL["recommendation"]}]

    assert shop.call.post("events", rows).json()["created"] == len(rows)
    assert shop.call.post("events", rows).json()["unchanged"] == len(rows)


def test_what_does_not_go_together_is_said(shop) -> None:
    wrong = (
        ({"item": "T1"}, "a customer, a session, or both"),
        (VIEW | {"kind": "custom"}, "must have a name"),
        (VIEW | {"quantity": -1}, "greater than or equal to 0"),
        (VIEW | {"context": {"a": {}}}, "nothing nested"),
        (VIEW | {"context": {str(n): n for n in range(21)}}, "at most 20"),
        (VIEW | {"recommendation": "7"}, "valid UUID"),
        (VIEW | {"session": "x" * 121}, "at most 120"),
    )

    answer = shop.call.post("events", [row for row, _ in wrong]).json()

    assert answer["failed"] == len(wrong)
    for row, (_, reason) in zip(answer["rows"], wrong, strict=True):
        assert reason in row["errors"][0]["message"]


def test_an_event_keeps_the_digest_that_it_had_before_events_said_more(shop) -> None:
    shop.call.post("events", [VIEW | {"kind": "rate", "value": 4.5}])

    told = "\0".join(("C1", "T1", "rate", "2024-05-01T10:00:00+00:00", "4.5"))
    with shop.scope():
        assert Event.objects.get().digest.hex == hashlib.sha256(told.encode()).hexdigest()[:32]


def test_events_are_deleted_by_customer_item_time_or_one_by_one(shop) -> None:
    rows = [
        VIEW | {"customer": customer, "item": item, "at": f"2024-05-0{day}T10:00:00Z"}
        for customer in ("C1", "C2")
        for item in ("A", "B")
        for day in (1, 2, 3)
    ]
    shop.call.post("events", rows)

    def deleted(query: str) -> int:
        count: int = shop.call.delete(f"events?{query}").json()["deleted"]
        return count

    assert shop.call.delete("events").json()["code"] == "no_choice"
    assert shop.call.delete("events?customer=").status_code == 400
    assert deleted("customer=C1&item=A&since=2024-05-02") == 2
    assert deleted("item=B&until=2024-05-02T10:00:00Z") == 2
    assert deleted("customer=C1") == 3
    assert deleted("customer=C1") == 0
    left = shop.call.get("events").json()["results"]
    assert {row["customer"] for row in left} == {"C2"}
    assert len(left) == 5
    assert shop.call.delete(f"events/{left[0]['id']}").status_code == 204
    assert shop.call.delete(f"events/{left[0]['id']}").status_code == 404
    assert shop.call.get("events").json()["results"] == left[1:]


def _robot(shop, hour: int, times: int) -> None:
    rows = [
        VIEW | {"customer": "robot", "item": "spam", "at": f"{day()}T{hour:02}:00:00.{n:06}Z"}
        for n in range(times)
    ]
    for start in range(0, times, 1_000):
        assert shop.call.post("events", rows[start : start + 1_000]).json()["failed"] == 0


def day() -> str:
    return (timezone.now() - timedelta(days=2)).date().isoformat()


def test_a_robot_decides_nothing(shop) -> None:
    shop.call.post("items", [{"id": id_, "title": id_} for id_ in ("spam", "tea", "pot")])
    people = [
        VIEW | {"customer": f"C{n}", "item": "tea", "at": f"{day()}T08:00:00Z"} for n in (1, 2)
    ]
    people += [
        VIEW | {"customer": f"C{n}", "item": "pot", "at": f"{day()}T09:00:00Z"} for n in (1,)
    ]
    shop.call.post("events", people)
    _robot(shop, 0, 1_001)
    # As many things were merely shown to a person who looked around for long.
    shown = [VIEW | {"item": "pot", "kind": "impression", "quantity": n} for n in range(1, 1_001)]
    shop.call.post("events", shown)

    with shop.scope():
        assert robots.find() == {"robot"}
        assert {event.customer for event in recommender.read().events} == {"C1", "C2"}
    picks = shop.call.post("recommendations", {}).json()["items"]
    assert [(pick["item"], pick["reason"]["source"]) for pick in picks] == [
        *(("tea", "popular"), ("pot", "popular")),
        ("spam", "new"),
    ]


def test_a_thousand_events_an_hour_are_a_person_for_three_hours(shop) -> None:
    for hour in range(3):
        _robot(shop, hour, robots.MOST_IN_AN_HOUR)
    with shop.scope():
        assert robots.find() == set()
    _robot(shop, 3, 1)
    with shop.scope():
        assert robots.find() == {"robot"}
