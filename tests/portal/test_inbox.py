"""What agents do in the inbox, through its pages; the API sees the same."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from saas.chat import handoffs, presence
from saas.chat.models import Canned, Conversation, HandOff, Message, Note, Passage
from saas.training.models import Correction, Example
from tests.conftest import Business
from tests.portal.conftest import member

PART = {"HX-Request": "true"}
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>"


class Desk:
    """An agent's browser at a business's inbox."""

    def __init__(self, business: Business, client: Client) -> None:
        self.business, self.client = business, client
        self.base = f"/t/{business.slug}/inbox/"

    def get(self, path: str = "", **headers: str) -> str:
        answer = self.client.get(f"{self.base}{path}", headers=headers)
        assert answer.status_code == 200, answer.content
        return answer.content.decode()

    def act(self, hand_off: Any, act: str, **form: Any) -> Any:
        path = f"{self.base}{hand_off.id}/{act}/"
        return self.client.post(path, form, headers=PART | {"Accept-Language": "en"})


@pytest.fixture
def desk(shop: Business, agent: Client) -> Desk:
    return Desk(shop, agent)


def asked(business: Business, text: str = "talk to a human", customer: str = "") -> HandOff:
    said = {"text": text} | ({"customer": customer} if customer else {})
    told = business.call.post("chat/messages", said).json()
    with business.scope():
        handoffs.request(told["conversation_id"], reason="call", priority=3)
        return HandOff.objects.select_related("conversation").get(
            conversation=told["conversation_id"]
        )


def state_of(business: Business, hand_off: HandOff) -> str:
    with business.scope():
        return Conversation.objects.get(id=hand_off.conversation_id).state


def test_an_agent_takes_answers_and_hands_back(shop, desk) -> None:
    row = asked(shop, customer="C1")
    assert "C1" in desk.get()
    assert "take" in desk.get(f"{row.id}/")

    assert desk.act(row, "take").status_code == 200
    assert desk.act(row, "say", text="Hello, Mei here.").status_code == 200

    (entry,) = shop.call.get("inbox").json()["results"]
    assert (entry["state"], entry["agent"]) == ("agent", "agent@shop.example")
    said = shop.call.get(f"conversations/{row.conversation_id}").json()["messages"][-1]
    assert (said["author"], said["text"]) == ("agent", "Hello, Mei here.")
    assert desk.act(row, "hand-back").status_code == 200
    assert state_of(shop, row) == "bot"


def test_who_is_not_known_is_called_so_until_they_say_their_name(shop, desk) -> None:
    row = asked(shop, customer="visitor:ab12")
    assert "Unknown customer" in desk.get()
    assert "ab12" not in desk.get(f"{row.id}/")

    with shop.scope():
        Conversation.objects.update(contact={"name": "Li Na", "email": "li@shop.example"})
    assert "Li Na" in desk.get()
    assert "Unknown customer" not in desk.get(f"{row.id}/")


def test_what_is_not_ones_own_is_told_in_words(shop, desk) -> None:
    row = asked(shop)
    shop.call.post(f"inbox/{row.id}/take", {"agent": "li"})

    answer = desk.act(row, "say", text="Hello")

    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#alerts"
    assert "A colleague answers this conversation" in answer.content.decode()


def test_who_only_reads_cannot_act(shop, agent) -> None:
    row = asked(shop)
    analyst = Desk(shop, member(shop, "analyst"))
    assert str(row.id) in analyst.get()
    assert analyst.act(row, "take").status_code == 403
    assert state_of(shop, row) == "waiting"


def test_another_tenants_conversation_is_not_there(shop, bank, desk) -> None:
    row = asked(bank)
    for path in ("", "pane/", "thread/", "suggestions/", "items/"):
        assert desk.client.get(f"{desk.base}{row.id}/{path}").status_code == 404
    assert desk.act(row, "take").status_code == 404
    assert state_of(bank, row) == "waiting"


def test_assigning_gives_it_to_a_colleague_and_to_nobody_else(shop, desk) -> None:
    row = asked(shop)
    assert desk.act(row, "assign", to="nobody@shop.example").status_code == 400
    assert desk.act(row, "assign", to=shop.owner).status_code == 200
    assert desk.act(row, "assign", to="agent@shop.example").status_code == 200
    with shop.scope():
        assert HandOff.objects.get(id=row.id).agent == "agent@shop.example"


def test_a_snoozed_one_is_out_of_sight_until_the_customer_writes(shop, desk) -> None:
    row = asked(shop)
    assert desk.act(row, "snooze", hours=4).status_code == 200
    assert str(row.id) not in desk.get("list/")
    assert str(row.id) in desk.get("list/?snoozed=1")
    again = {"text": "Hello?", "conversation_id": str(row.conversation_id)}
    assert shop.call.post("chat/messages", again).status_code == 200
    assert str(row.id) in desk.get("list/")


def test_two_conversations_of_one_customer_become_one(shop, desk) -> None:
    one, two = (asked(shop, text, customer="C1") for text in ("talk to a human", "human please"))
    other = asked(shop, customer="C2")
    assert desk.act(one, "merge", into=other.id).status_code == 409
    assert desk.act(one, "merge", into=two.id).status_code == 200
    assert state_of(shop, one) == "closed"
    thread = desk.get(f"{two.id}/thread/")
    assert "talk to a human" in thread
    assert "human please" in thread


def test_filters_show_what_is_looked_for(shop, desk) -> None:
    one, two = asked(shop, customer="C1"), asked(shop, customer="C2")
    desk.act(one, "tag", tags="Refund, vip")
    desk.act(two, "note", text="please look @agent@shop.example!")
    desk.act(two, "take")
    for query, expected in {
        "state=waiting": one,
        "tag=refund": one,
        "owner=agent@shop.example": two,
        "mentions=1": two,
    }.items():
        shown = desk.get(f"list/?{query}")
        assert (str(one.id) in shown, str(two.id) in shown) == (expected is one, expected is two)
    assert str(one.id) not in desk.get("list/?priority=9")
    assert str(one.id) in desk.get("list/?order=nonsense&priority=x")


def test_a_note_is_for_colleagues_alone(shop, desk) -> None:
    row = asked(shop)
    desk.act(row, "note", text="knows the owner")
    assert "knows the owner" in desk.get(f"{row.id}/thread/")
    whole = shop.call.get(f"conversations/{row.conversation_id}").json()
    assert "knows the owner" not in str(whole)
    with shop.scope():
        assert Note.objects.get().agent == "agent@shop.example"


def test_nothing_written_becomes_markup_and_nothing_too_long_is_kept(shop, desk) -> None:
    row = asked(shop, ATTACK, customer=ATTACK)
    desk.act(row, "take")
    for act, field in (("say", "text"), ("note", "text"), ("tag", "tags")):
        desk.act(row, act, **{field: ATTACK[:40]})
        assert desk.act(row, act, **{field: "x" * 1_000_000}).status_code == 400
    page = desk.get(f"{row.id}/")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert desk.act(row, "say", text="  ").status_code == 400


def test_canned_replies_are_managed_by_managers_and_filled_in_once(shop, desk) -> None:
    manager = member(shop, "owner")
    form = {
        "name": "hi",
        "language": "en",
        "text": "Hi {{customer}}, {{agent}} of {{business}}. {{x}}",
    }
    assert manager.post(f"{desk.base}canned/", form).status_code == 302
    row = asked(shop, customer="{{agent}}")
    desk.act(row, "take")
    page = desk.get(f"{row.id}/")
    assert "Hi {{agent}}, Our team of Shop. {{x}}" in page
    desk.client.post(f"/t/{shop.slug}/name/", {"name": "Mei"})
    assert "Hi {{agent}}, Mei of Shop. {{x}}" in desk.get(f"{row.id}/")
    assert desk.client.post(f"{desk.base}canned/", form).status_code == 403
    with shop.scope():
        canned = Canned.objects.get()
    assert manager.post(f"{desk.base}canned/{canned.id}/remove/").status_code == 302
    assert "Hi {{agent}}" not in desk.get(f"{row.id}/")


def test_a_correction_is_an_example_a_test_and_knowledge(shop, desk) -> None:
    row = asked(shop, "can I bring my dog, mail me at jo@tea.example")
    with shop.scope():
        bot = Message.objects.get(conversation=row.conversation_id, author="bot")
    form = {"message": bot.id, "intent": "pets", "answer": "Dogs are welcome."}
    answer = desk.act(row, "teach", **form)
    assert answer.status_code == 200, answer.content
    with shop.scope():
        assert Correction.objects.get().intent == "pets"
        assert Example.objects.get().intent == "pets"
        passage = Passage.objects.get()
    assert passage.answer == "Dogs are welcome."
    assert passage.taught_by == "agent@shop.example"
    assert "jo@tea.example" not in passage.question
    assert desk.act(row, "teach", message=bot.id).status_code == 400
    foreign = asked(shop)
    assert desk.act(foreign, "teach", **form).status_code == 404


def test_colleagues_see_who_else_is_here(shop, desk) -> None:
    row = asked(shop)
    other = Desk(shop, member(shop, "owner"))
    assert other.act(row, "present", typing="1").status_code == 204
    assert f"{shop.owner} ✎" in desk.get(f"{row.id}/thread/")
    other.act(row, "present", typing="0")
    with shop.scope():
        assert presence.others(row.conversation_id, than="me") == {shop.owner: False}


def test_suggestions_name_their_source_and_the_agents_language(shop, desk) -> None:
    shop.call.post(
        "knowledge", [{"question": "能带狗吗？", "answer": "可以带狗。", "source": "店规"}]
    )
    row = asked(shop, "能带狗吗？")
    page = desk.client.get(f"{desk.base}{row.id}/suggestions/", headers=PART)
    assert page.status_code == 200
    assert "The customer writes Chinese" in desk.get(f"{row.id}/", **{"Accept-Language": "en"})


def test_the_list_comes_in_pages_that_keep_what_is_looked_for(shop, desk) -> None:
    with shop.scope():
        talks = Conversation.objects.bulk_create(
            Conversation(language="en", state="waiting", customer=f"C{number}")
            for number in range(120)
        )
        HandOff.objects.bulk_create(
            HandOff(conversation=talk, reason="call", priority=5) for talk in talks
        )

    def page(query: str) -> tuple[int, list[str]]:
        part = desk.get(f"list/?{query}")
        links = re.findall(r'hx-get="[^"]*list/\?([^"]*)"', part)
        return part.count("data-conversation="), [html.unescape(link) for link in links]

    assert page("priority=4") == (50, ["priority=4&page=2"])
    assert page("priority=4&page=3") == (20, ["priority=4&page=2"])
    assert page("priority=6") == (0, [])
    assert page("page=x")[0] == 50
    assert page("page=999")[0] == 20  # as far as there are any
    assert "51–100 / 120" in desk.get("?page=2")
