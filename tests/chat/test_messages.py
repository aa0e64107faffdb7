"""POST /v1/chat/messages: one door from question to metered answer."""

from saas.billing.models import Quota, UsageRecord


def test_an_unknown_question_falls_back_and_is_metered(shop) -> None:
    response = shop.call.post("chat/messages", {"text": "Who won the football match?"})

    assert response.status_code == 200, response.content
    answer = response.json()["answer"]
    assert answer["kind"] == "fallback"
    assert answer["intent"] is None
    with shop.scope():
        assert UsageRecord.objects.filter(kind="chat_message").count() == 1
        quota = Quota.objects.get(kind="chat_message")
        assert (quota.used, quota.reserved) == (1, 0)


def test_knowledge_answers_in_the_language_of_the_question(shop, worked_off) -> None:
    pairs = [
        {"question": "Do you ship batteries?", "answer": "Yes, by road only.", "language": "en"},
        {"question": "能寄电池吗？", "answer": "可以，走陆运。", "language": "zh"},
    ]
    with worked_off():
        assert shop.call.post("knowledge", pairs).json()["created"] == 2

    english = shop.call.post("chat/messages", {"text": "Can batteries be shipped?"}).json()
    chinese = shop.call.post("chat/messages", {"text": "电池可以邮寄吗"}).json()

    assert english["answer"]["text"] == "Yes, by road only."
    assert chinese["answer"]["text"] == "可以，走陆运。"
    assert english["answer"]["sources"][0]["question"] == "Do you ship batteries?"
