"""What customers call an agent: the name they chose, or nobody in particular; never an address."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections
from django.test import AsyncClient

from saas.chat import handoffs, presence, transcripts
from saas.chat.models import Conversation, HandOff
from saas.webhooks.models import Event
from tests.conftest import found
from tests.portal.conftest import member
from tests.widget.conftest import ORIGIN, Page, key_of

PART = {"HX-Request": "true"}
ADDRESS = "agent@shop.example"


@pytest.fixture
def talk(shop: Any, agent: Any) -> tuple[Page, HandOff]:
    """A visitor on the shop's page, and their hand-off, in which an agent without a name has written."""
    shop.call.post("webhooks", {"url": "https://shop.example/hook"})
    page = Page(key_of(shop), language="zh")
    page.begin()
    id_ = page.post("hand-off").json()["id"]
    with shop.scope():
        row = HandOff.objects.get(conversation=id_)
    for act in ("take", "say"):
        done = agent.post(f"/t/shop/inbox/{row.id}/{act}/", {"text": "您好"}, headers=PART)
        assert done.status_code == 200
    return page, row


def everything_seen(shop: Any, page: Page, row: HandOff) -> list[str]:
    """All that reaches customers, wherever it does."""
    id_ = row.conversation_id
    with shop.scope():
        transcripts.send(id_, "li@customer.example")
        told = Event.objects.filter(type="message.created").values_list("data", flat=True)
        payloads = [str(data) for data in told]
    return [
        page.get(f"conversations/{id_}").content.decode(),
        shop.call.get(f"conversations/{id_}").content.decode(),
        mail.outbox[-1].body,
        *payloads,
    ]


def test_without_a_name_it_is_the_team_in_the_conversations_language(shop, talk) -> None:
    page, row = talk
    seen = everything_seen(shop, page, row)
    assert not [one for one in seen if ADDRESS in one or "@shop" in one]
    assert len(seen) == 4
    assert all("客服" in one for one in seen)
    with shop.scope():
        Conversation.objects.filter(id=row.conversation_id).update(language="en")
    assert page.get(f"conversations/{row.conversation_id}").json()["agent"] == "Our team"


def test_customers_see_the_name_and_colleagues_the_address(shop, agent, talk) -> None:
    page, row = talk
    saved = agent.post("/t/shop/name/", {"name": "  李  梅 "})
    assert (saved.status_code, 'value="李 梅"' in saved.content.decode()) == (200, True)
    agent.post(f"/t/shop/inbox/{row.id}/say/", {"text": "再见"}, headers=PART)
    seen = everything_seen(shop, page, row)
    assert not [one for one in seen if ADDRESS in one]
    assert all("李 梅" in one for one in (*seen[:3], seen[-1]))
    colleague = member(shop, "admin").get(f"/t/shop/inbox/{row.id}/").content.decode()
    assert ADDRESS in colleague
    assert shop.call.get(f"inbox/{row.id}").json()["agent"] == ADDRESS


def test_an_address_is_no_name_and_a_script_is_text(agent) -> None:
    wrong = agent.post("/t/shop/name/", {"name": ADDRESS})
    assert (wrong.status_code, "is no address" in wrong.content.decode()) == (400, True)
    page = agent.post("/t/shop/name/", {"name": "<script>x</script>"}).content.decode()
    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page


def test_ids_of_a_desk_of_their_own_stay(shop) -> None:
    with shop.scope():
        talk = Conversation.objects.create(language="en", state="bot")
        row = handoffs.request(talk.id, reason="call")
    shop.call.post(f"inbox/{row.id}/take", {"agent": "mei"})
    shop.call.post(f"inbox/{row.id}/messages", {"agent": "mei", "text": "Hello"})
    said = shop.call.get(f"conversations/{talk.id}").json()["messages"]
    assert [message["agent"] for message in said] == ["mei"]


@pytest.mark.usefixtures("committed")
def test_who_looks_at_a_conversation_is_no_visitors_business() -> None:
    shop = found("shop")
    page = Page(key_of(shop))
    page.begin()
    id_ = page.post("hand-off").json()["id"]

    def look_and_say() -> None:
        with shop.scope():
            row = HandOff.objects.get(conversation=id_)
            presence.say(row.conversation_id, agent=ADDRESS, typing=False)
            handoffs.take(row.id, agent=ADDRESS)
        connections.close_all()

    async def scene() -> None:
        headers = {"Authorization": f"Bearer {page.token}", "Origin": ORIGIN}
        answer = await AsyncClient().get(f"/widget/live?conversation_id={id_}", headers=headers)
        told = aiter(answer.streaming_content)
        async with asyncio.timeout(20):
            while b"again" not in await anext(told):
                pass
            await sync_to_async(look_and_say)()
            assert b"event: state" in await anext(told)
        answer.close()

    asyncio.run(scene())
