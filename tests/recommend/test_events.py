"""POST /v1/events: what customers did, counted once, dated plausibly."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

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
