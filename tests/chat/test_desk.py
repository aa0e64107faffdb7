"""What a tenant's own desk does beside answering, over the API."""

from __future__ import annotations

from typing import Any

from tests.chat.test_handoffs import act, tell, waiting


def asked(business: Any, customer: str) -> str:
    tell(business, "talk to a human", customer=customer)
    (found,) = [e["id"] for e in waiting(business) if e["customer"] == customer]
    return found


def test_assigning_moves_it_from_hand_to_hand(shop) -> None:
    one = asked(shop, "C1")
    for agent in ("mei", "li"):
        answer = shop.call.post(f"inbox/{one}/assign", {"to": agent})
        assert answer.json()["agent"] == agent
        assert answer.json()["state"] == "agent"
    assert act(shop, one, "messages", agent="mei", text="Hello").status_code == 409
    assert act(shop, one, "messages", agent="li", text="Hello").status_code == 201


def test_snoozing_needs_a_time_to_come_and_ends_when_the_customer_writes(shop) -> None:
    one = asked(shop, "C1")
    past = act(shop, one, "snooze", until="2020-01-01T00:00:00Z")
    assert (past.status_code, past.json()["code"]) == (400, "past")
    assert act(shop, one, "snooze", until="2099-01-01T00:00:00Z").json()["snoozed_until"]
    tell(shop, "Hello?", waiting(shop)[0]["conversation_id"])
    assert waiting(shop)[0]["snoozed_until"] is None


def test_only_open_ones_of_one_customer_are_merged(shop) -> None:
    one, other = asked(shop, "C1"), asked(shop, "C2")
    for into, code in ((other, "two_people"), (one, "same")):
        assert act(shop, one, "merge", into=into).json()["code"] == code
    tell(shop, "real person please", customer="C1")
    (two,) = [e["id"] for e in waiting(shop) if e["customer"] == "C1" and e["id"] != one]
    assert act(shop, one, "merge", into=two).json()["id"] == two
    assert shop.call.get(f"inbox/{one}").json()["state"] == "closed"
    assert act(shop, two, "merge", into=one).json()["code"] == "no_target"


def test_tags_replace_each_other_and_notes_name_whom_they_mention(shop) -> None:
    one = asked(shop, "C1")
    for given, kept in ((["VIP ", "refund", "vip"], ["refund", "vip"]), ([], [])):
        assert shop.call("PUT", f"inbox/{one}/tags", {"tags": given}).json()["tags"] == kept
    note = act(shop, one, "notes", text="@li, see mei@tea.example. @王芳：谢谢")
    assert note.json()["mentions"] == ["li", "王芳"]
    assert shop.call.get(f"inbox/{one}/notes").json()["results"][0]["agent"] == "mei"


def test_a_canned_reply_takes_the_place_of_its_name(shop) -> None:
    row = {"name": "hi", "language": "en", "text": "Hello"}
    first = shop.call.post("inbox/canned", row).json()
    again = shop.call.post("inbox/canned", row | {"text": "Hi"}).json()
    assert (again["id"], again["text"]) == (first["id"], "Hi")
    assert shop.call.delete(f"inbox/canned/{first['id']}").status_code == 204
    assert shop.call.get("inbox/canned").json()["results"] == []
