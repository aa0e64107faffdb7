"""A conversation that was merged into another goes on there, wherever its customer still has it open."""

from __future__ import annotations

from typing import Any

from saas.chat.models import Conversation, HandOff, Message
from tests.conftest import Business
from tests.widget.conftest import Page, key_of
from tests.widget.test_sessions import refused
from tests.widget.test_talk import PNG, send_file


def hand_off(business: Business, talk: str) -> str:
    with business.scope():
        return str(HandOff.objects.get(conversation=talk, ended_at=None).id)


def merge(business: Business, one: str, into: str) -> None:
    body = {"agent": "Mei", "into": hand_off(business, into)}
    done = business.call.post(f"inbox/{hand_off(business, one)}/merge", body)
    assert done.status_code == 200, done.content


def waiting(page: Page, text: str) -> str:
    told: dict[str, Any] = page.say(text).json()
    assert told["state"] == "waiting"
    return str(told["conversation_id"])


def texts(seen: dict[str, Any]) -> list[str]:
    return [m["text"] for m in seen["messages"] if m["author"] != "bot"]


def test_an_old_tab_goes_on_where_the_merge_went(shop, page) -> None:
    old, new = waiting(page, "talk to a human"), waiting(page, "human please")
    merge(shop, old, into=new)

    seen = page.get(f"conversations/{old}").json()
    assert (seen["id"], seen["state"], seen["position"]) == (new, "waiting", 1)
    assert texts(seen) == ["talk to a human", "human please"]
    told = page.say("Still there?", old).json()
    assert (told["conversation_id"], told["state"], told["answer"]) == (new, "waiting", None)
    assert send_file(page, "photo.png", PNG, old).json()["conversation_id"] == new
    assert page.post("hand-off", {"conversation_id": old}).json()["id"] == new

    mine = {"agent": "Mei", "text": "Mei here."}
    row = hand_off(shop, new)
    assert shop.call.post(f"inbox/{row}/take", {"agent": "Mei"}).status_code == 200
    shop.call.post(f"inbox/{row}/messages", mine)
    seen = page.get(f"conversations/{old}").json()
    assert texts(seen)[-3:] == ["Still there?", "photo.png", "Mei here."]
    shop.call.post(f"inbox/{row}/hand-back", {"agent": "Mei"})
    told = page.say("Hello", old).json()
    assert (told["conversation_id"], told["state"]) == (new, "bot")
    assert told["answer"]["kind"] == "talk"
    with shop.scope():
        assert Message.objects.filter(conversation=old).count() == 2  # what it had before
        assert Conversation.objects.get(id=old).state == "closed"


def test_the_api_goes_on_there_too_also_after_another_merge(shop, page) -> None:
    first, second = waiting(page, "talk to a human"), waiting(page, "human please")
    merge(shop, first, into=second)
    shop.call.post(f"inbox/{hand_off(shop, second)}/close", {"agent": "Mei"})
    assert page.say("human please", first).json()["conversation_id"] == second
    third = waiting(page, "agent please")
    merge(shop, second, into=third)

    said = {"text": "Anybody?", "conversation_id": first}
    assert shop.call.post("chat/messages", said).json()["conversation_id"] == third
    seen = page.get(f"conversations/{third}").json()
    assert texts(seen) == [
        *("talk to a human", "human please", "human please", "agent please", "Anybody?")
    ]
    assert texts(page.get(f"conversations/{second}").json()) == texts(seen)


def test_what_was_merged_is_no_other_visitors(shop, page) -> None:
    old, new = waiting(page, "talk to a human"), waiting(page, "human please")
    merge(shop, old, into=new)
    other = Page(key_of(shop))
    other.begin()
    for talk in (old, new):
        refused(other.get(f"conversations/{talk}"), 404)
        refused(other.say("Hello", talk), 404)
