"""Approved replies: given word for word where a trained model is sure of the intent."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from saas.training import store

EXAMPLES = {
    "order_status": (
        "Where is my order?",
        "Has my parcel been shipped?",
        "Track my delivery",
        "When will my package arrive?",
        "I want to know where my shipment is",
        "What is the status of my order?",
        "我的快递到哪了",
        "查一下我的物流",
        "订单什么时候能送到",
        "包裹怎么还没到",
        "帮我看看订单状态",
        "发货了吗",
    ),
    "refund": (
        "I want my money back",
        "How do I get a refund?",
        "Refund my purchase please",
        "When will I receive my refund?",
        "Please return the payment to my card",
        "My refund has not come yet",
        "我要退款",
        "退款多久到账",
        "怎么申请退款",
        "钱什么时候退给我",
        "退款进度查询",
        "请把钱退回来",
    ),
    "opening_hours": (
        "When are you open?",
        "What are your opening hours?",
        "Is the shop open on Sunday?",
        "What time do you close?",
        "Are you open on holidays?",
        "Until when can I come to the store today?",
        "你们几点开门",
        "营业时间是什么时候",
        "周日营业吗",
        "晚上几点关门",
        "节假日开门吗",
        "门店今天开到几点",
    ),
}
REPLIES = [
    {"intent": "refund", "language": "en", "text": "Refunds take five days."},
    {"intent": "refund", "language": "zh", "text": "退款需要五天。"},
    {"intent": "order_status", "language": "en", "text": "Your order is on its way."},
]


@pytest.fixture
def trained(shop: Any, worked_off: Any) -> Any:
    rows = [{"text": t, "intent": intent} for intent, texts in EXAMPLES.items() for t in texts]
    shop.call.post("examples", rows)
    shop.call.post("replies", REPLIES)
    with worked_off():
        run = shop.call.post("training/runs", {"kind": "intent"}).json()
    ended = shop.call.get(f"training/runs/{run['id']}").json()
    assert ended["state"] == "succeeded", ended
    return shop


def ask(business: Any, text: str, **more: Any) -> Any:
    return business.call.post("chat/messages", {"text": text, **more}).json()["answer"]


def test_the_reply_to_a_known_intent_is_given_in_the_right_language(trained) -> None:
    english, chinese = ask(trained, "I would like a refund"), ask(trained, "我想要退款")

    assert (english["kind"], english["text"]) == ("reply", "Refunds take five days.")
    assert (chinese["kind"], chinese["text"]) == ("reply", "退款需要五天。")
    assert english["intent"] == chinese["intent"] == "refund"
    assert english["in_scope"]
    assert 0 < english["confidence"] <= 1

    other = ask(trained, "I would like a refund", language="zh")
    assert other["text"] == "退款需要五天。"

    # A language without a reply of its own gets the one there is.
    assert ask(trained, "我的快递到哪了")["text"] == "Your order is on its way."


def test_what_no_reply_is_for_falls_back(trained) -> None:
    silent = ask(trained, "What are your opening hours?")
    strange = ask(trained, "Please write a poem about the moon landing")

    assert (silent["kind"], silent["intent"]) == ("fallback", "opening_hours")
    assert strange["kind"] == "fallback"
    assert not strange["in_scope"]


def test_a_deleted_reply_is_given_no_more(trained) -> None:
    replies = trained.call.get("replies").json()["results"]
    (chinese,) = [
        reply for reply in replies if (reply["intent"], reply["language"]) == ("refund", "zh")
    ]

    assert trained.call.delete(f"replies/{chinese['id']}").status_code == 204

    assert ask(trained, "我要退款")["text"] == "Refunds take five days."


def test_a_model_whose_files_are_gone_leaves_the_bot_answering(trained, settings) -> None:
    shutil.rmtree(settings.ARTIFACTS)
    store._load.cache_clear()  # as a process that has not served this model yet

    assert ask(trained, "I want my money back")["kind"] == "fallback"


def test_another_tenant_has_no_model_from_it(trained, bank) -> None:
    answer = ask(bank, "I want my money back")

    assert (answer["kind"], answer["intent"], answer["confidence"]) == ("fallback", None, None)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How do I get a refund?", "reply"),
        ("怎么申请退款", "reply"),
        ("Do you refund the deposit for a crate of bottles?", "passage"),
        ("整箱瓶子的押金能退吗？", "passage"),
    ],
)
def test_a_passage_goes_before_the_reply_to_what_is_only_near_to_an_intent(
    trained, worked_off, question: str, kind: str
) -> None:
    rows = [
        {
            "question": "Is there a deposit on crates?",
            "answer": "The deposit for a crate of bottles is paid back at the till, twelve euros each.",
        },
        {"question": "瓶子有押金吗？", "answer": "整箱瓶子的押金在收银台退，每箱十二欧元。"},
    ]
    with worked_off():
        trained.call.post("knowledge", rows)
    assert ask(trained, question)["kind"] == kind
