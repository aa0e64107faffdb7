"""What an agent sees of who is on the other side, and what that side sees of the agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from saas.chat import handoffs, live, presence
from saas.chat.models import Attachment, Conversation, HandOff
from tests.conftest import Business
from tests.portal.conftest import member
from tests.portal.test_inbox import Desk, asked
from tests.widget.conftest import Page, key_of
from tests.widget.test_talk import PNG, send_file


@pytest.fixture
def desk(shop: Business, agent: Client) -> Desk:
    return Desk(shop, agent)


@pytest.fixture
def page(shop: Business) -> Page:
    found = Page(key_of(shop))
    found.begin()
    return found


def sent(business: Business, page: Page, name: str, content: bytes) -> tuple[HandOff, Attachment]:
    """A visitor's file, in a conversation that waits for a person."""
    talk = send_file(page, name, content).json()["conversation_id"]
    with business.scope():
        row = handoffs.request(talk, reason="asked")
        return row, Attachment.objects.get(message__conversation=talk)


def test_a_picture_is_shown_and_sent_once(shop, desk, page) -> None:
    row, picture = sent(shop, page, "photo.png", PNG)
    path = f"{desk.base}files/{picture.id}/"
    thread = desk.get(f"{row.id}/thread/")
    assert f'<img src="{path}" alt="photo.png"' in thread
    assert "72\N{NO-BREAK SPACE}bytes" in thread

    opened = desk.client.get(path)
    assert b"".join(opened.streaming_content) == PNG
    assert opened.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in opened.headers["Content-Security-Policy"]
    assert opened.headers["Cache-Control"] == "private, no-cache"
    again = desk.client.get(path, headers={"If-None-Match": opened.headers["ETag"]})
    assert again.status_code == 304


def test_another_file_is_only_saved_whatever_it_holds(shop, desk, page) -> None:
    row, file = sent(shop, page, "list.txt", b"<script>alert(1)</script>")
    assert f'{file.id}/" download="list.txt">' in desk.get(f"{row.id}/thread/")
    opened = desk.client.get(f"{desk.base}files/{file.id}/")
    assert opened.headers["Content-Type"] == "text/plain"
    assert opened.headers["Content-Disposition"] == 'attachment; filename="list.txt"'


def test_a_file_is_for_members_alone_and_gone_with_what_was_said(shop, bank, desk, page) -> None:
    _, picture = sent(shop, page, "photo.png", PNG)
    path = f"{desk.base}files/{picture.id}/"
    assert Client().get(path).status_code == 302
    other = member(bank, "owner")
    assert other.get(path).status_code == 404
    assert other.get(f"/t/{bank.slug}/inbox/files/{picture.id}/").status_code == 404
    page.call("DELETE", "data")
    assert desk.client.get(path).status_code == 404


def test_what_was_said_before_the_chat_stands_beside_it(shop, desk) -> None:
    row = asked(shop)
    contact = {"name": "Li Na", "email": "li@shop.example", "order": "<b>7</b>"}
    with shop.scope():
        Conversation.objects.update(contact=contact)
    for language, names in {"en": ("Name", "E-mail"), "zh": ("称呼", "邮箱")}.items():
        shown = desk.get(f"{row.id}/", **{"Accept-Language": language})
        for name, value in zip(names, ("Li Na", "li@shop.example"), strict=True):
            assert f"<dt>{name}</dt><dd>{value}</dd>" in shown
        assert "<dt>order</dt><dd>&lt;b&gt;7&lt;/b&gt;</dd>" in shown


@contextmanager
def told() -> Iterator[list[dict[str, Any]]]:
    """The hints of a while, as all processes hear them."""
    heard: list[dict[str, Any]] = []
    client = redis.Redis.from_url(settings.REDIS_URL)
    with client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(live.CHANNEL)
        while not channel.subscribed or channel.get_message(timeout=0.1):
            pass
        yield heard
        while message := channel.get_message(timeout=0.3):
            heard.append(json.loads(message["data"]))
    client.close()


def test_the_customer_sees_that_who_answers_types(
    shop, desk, monkeypatch, django_capture_on_commit_callbacks
) -> None:
    monkeypatch.setattr(presence, "TYPING", "1/hour")
    row = asked(shop)

    def hints(who: Desk, typing: str) -> list[str]:
        with told() as heard, django_capture_on_commit_callbacks(execute=True):
            assert who.act(row, "present", typing=typing).status_code == 204
        return [hint["name"] for hint in heard if hint["data"].get("author") == "agent"]

    assert hints(desk, "1") == []  # not yet theirs
    desk.act(row, "take")
    assert hints(Desk(shop, member(shop, "owner")), "1") == []
    assert hints(desk, "0") == []
    assert hints(desk, "1") == ["typing"]
    assert hints(desk, "1") == []  # so soon after
