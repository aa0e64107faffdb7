"""The page of figures: what it counts, of which days, and in which words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from saas.chat.models import Conversation, HandOff, Message, Rating
from tests.portal.conftest import member

NOW = timezone.now()


@pytest.fixture
def talks(shop: Any) -> None:
    """Three conversations: one with a person, one rated by who asked the bot, one two weeks old."""
    with shop.scope():
        for days, state in ((0, "closed"), (0, "bot"), (14, "bot")):
            Conversation.objects.create(
                language="en", state=state, created_at=NOW - timedelta(days=days)
            )
        with_person, with_bot = Conversation.objects.order_by("-created_at", "state")[:2][::-1]
        Rating.objects.create(conversation=with_bot, score=4)
        HandOff.objects.create(
            conversation=with_person,
            reason="asked",
            agent="agent@shop.example",
            requested_at=NOW,
            taken_at=NOW + timedelta(seconds=30),
            ended_at=NOW + timedelta(hours=2),
        )
        Message.objects.create(
            conversation=with_person,
            author="agent",
            agent="agent@shop.example",
            text="Hello",
            created_at=NOW + timedelta(seconds=90),
        )


def figures(shop: Any, query: str = "", language: str = "en") -> dict[str, dict[str, str]]:
    client = member(shop, "owner")
    client.cookies["language"] = language
    answer = client.get(f"/t/{shop.slug}/metrics/{query}")
    assert answer.status_code == 200
    return {figure["title"]: figure for figure in answer.context["figures"]}


def test_it_counts_the_last_seven_days(shop, talks) -> None:
    found = figures(shop)
    assert {title: figure["value"] for title, figure in found.items()} == {
        "Conversations": "2",
        "Resolved by the bot": "0%",
        "Handed to a person": "50%",
        "Until a person took it": "30 s",
        "First response": "1.5 min",
        "Resolution": "2 h",
        "Satisfaction": "4.0",
        "Helpful answers": "",
    }
    assert found["Handed to a person"]["of"] == "1 of 2"


def test_it_counts_the_days_that_are_asked_for(shop, talks) -> None:
    day = (NOW - timedelta(days=14)).date()
    found = figures(shop, f"?first={day}&last={day}", "zh")
    assert found["对话数"]["value"] == "1"
    assert found["首次响应时间"]["value"] == ""


def test_other_businesses_are_not_counted(shop, bank, talks) -> None:
    assert figures(bank)["Conversations"]["value"] == "0"
    page = member(bank, "analyst").get(f"/t/{bank.slug}/metrics/")
    assert page.context["people"] == []
    assert {row[1] for row in page.context["curve"].rows} == {"0"}


def test_people_are_told_apart_by_who_may_know(shop, talks) -> None:
    with shop.scope():
        row = HandOff.objects.get()
        Rating.objects.create(conversation=row.conversation, score=5)
        HandOff.objects.create(
            conversation=Conversation.objects.create(language="en", state="agent"),
            reason="asked",
            agent="li@shop.example",
            requested_at=NOW,
            taken_at=NOW + timedelta(seconds=10),
        )
        # What a colleague writes is not their own reply.
        theirs = HandOff.objects.get(agent="li@shop.example").conversation
        Message.objects.create(
            conversation=theirs, author="agent", agent="agent@shop.example", text="Hi"
        )
    mine = ("agent@shop.example", "1", "30 s", "1.5 min", "2 h", "5.0 (1 rated)")
    li = ("li@shop.example", "1", "10 s", "–", "–", "–")
    path = f"/t/{shop.slug}/metrics/"
    assert member(shop, "analyst").get(path).context["people"] == [mine, li]
    assert member(shop, "agent").get(path).context["people"] == [mine]


def test_the_curve_has_every_day_and_its_figures_as_a_table(shop, talks) -> None:
    client = member(shop, "owner")
    page = client.get(f"/t/{shop.slug}/metrics/")
    rows = page.context["curve"].rows
    assert [row[1:] for row in rows] == [("0", "0", "0")] * 6 + [("2", "1", "0")]
    assert rows[-1][0] == str(NOW.date())
    assert page.content.decode().count("<tbody>") == 2
    assert "style=" not in page.content.decode()
    day = NOW.date()
    for query in (f"?first={day}&last={day}", "?first=2000-01-01"):
        assert "2 to 92 days" in client.get(f"/t/{shop.slug}/metrics/{query}").content.decode()


def test_days_in_the_wrong_order_are_named_and_nonsense_is_the_default(shop) -> None:
    client = member(shop, "analyst")
    wrong = client.get(f"/t/{shop.slug}/metrics/?first=2026-02-02&last=2026-02-01")
    assert wrong.status_code == 400
    assert "must not be after" in wrong.content.decode()
    for query in ("?first=<script>", "?first=2026-02-30&last=%00", "?last=0001-01-01"):
        assert client.get(f"/t/{shop.slug}/metrics/{query}").status_code == 200, query
