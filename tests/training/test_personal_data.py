"""Personal data of customers, and what the bot refused, stay out of everything that models learn from."""

from __future__ import annotations

from saas.labelling.models import Turn
from saas.training import intents
from saas.training.models import Correction, Example
from tests.chat.test_handoffs import tell
from tests.chat.test_safety import ATTACK, THEIRS

SAID = "我的手机是13812345678，邮箱 mei@example.com"
KEPT = "我的手机是<phone>，邮箱 <email>"


def test_no_training_set_holds_personal_data(shop) -> None:
    told = tell(shop, SAID)
    shop.call.post("examples", [{"text": SAID, "intent": "contact"}])
    shop.call.post(f"messages/{told['message_id']}/correction", {"intent": "contact"})
    turn = {"conversation": "1", "author": "customer", "text": f"{SAID}！"}
    shop.call.post("labelling/turns", [turn | {"at": "2026-01-01T00:00:00Z"}])
    tell(shop, "Call me on +1 415-555-2671")

    with shop.scope():
        assert [row.text for row in Example.objects.all()] == [KEPT]
        assert [row.text for row in Correction.objects.all()] == [KEPT]
        assert [row.text for row in Turn.objects.all()] == [f"{KEPT}！"]
        data = intents.read()
    assert sorted(data.unlabelled) == ["Call me on <phone>", f"{KEPT}！"]
    assert [example.text for example in data.examples] == [KEPT]


def test_the_conversation_itself_stays_readable_for_the_agent(shop) -> None:
    talk = tell(shop, SAID)["conversation_id"]

    assert shop.call.get(f"conversations/{talk}").json()["messages"][0]["text"] == SAID


def test_what_the_bot_refused_is_nothing_to_learn_from(shop) -> None:
    talk = tell(shop, "Do you mend old boots?")["conversation_id"]
    tell(shop, ATTACK, talk)
    tell(shop, THEIRS, talk)
    tell(shop, "And bags?", talk)
    shop.call.post(f"conversations/{talk}/hand-off", {})
    tell(shop, "Thanks for waiting with me", talk)

    with shop.scope():
        unlabelled = intents.read().unlabelled
    assert sorted(unlabelled) == [
        "And bags?",
        "Do you mend old boots?",
        "Thanks for waiting with me",
    ]
