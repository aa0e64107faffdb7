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
            requested_at=NOW,
            taken_at=NOW + timedelta(seconds=30),
            ended_at=NOW + timedelta(hours=2),
        )
        Message.objects.create(
            conversation=with_person,
            author="agent",
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


def test_days_in_the_wrong_order_are_named_and_nonsense_is_the_default(shop) -> None:
    client = member(shop, "analyst")
    wrong = client.get(f"/t/{shop.slug}/metrics/?first=2026-02-02&last=2026-02-01")
    assert wrong.status_code == 400
    assert "must not be after" in wrong.content.decode()
    for query in ("?first=<script>", "?first=2026-02-30&last=%00", "?last=0001-01-01"):
        assert client.get(f"/t/{shop.slug}/metrics/{query}").status_code == 200, query
