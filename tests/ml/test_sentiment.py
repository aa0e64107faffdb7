"""How a customer feels: who is upset or pleased is told from who only reports or asks."""

import pytest

from ml.encoder import Encoder
from ml.sentiment import FEELINGS, Sentiment

MESSAGES = {
    "negative": (
        "Nobody ever replies, I am so tired of this company.",
        "I am furious, this is the second broken one!",
        "你们到底管不管？都投诉三次了！",
        "什么态度啊，再也不买你家东西了",
    ),
    "neutral": (
        "My kettle stopped working, is it under guarantee?",
        "The invoice has the wrong name on it.",
        "水壶坏了，还在保修期内吗？",
        "发票抬头写错了，怎么改？",
    ),
    "positive": (
        "Brilliant, thank you for sorting this out!",
        "The chairs look gorgeous in our kitchen.",
        "谢谢你，处理得真快！",
        "东西很好，家里人都喜欢",
    ),
}


@pytest.fixture(scope="module")
def sentiment(encoder: Encoder) -> Sentiment:
    return Sentiment.fit(encoder.encode)


@pytest.mark.parametrize("feeling", FEELINGS)
def test_feelings_are_told_apart(sentiment: Sentiment, encoder: Encoder, feeling: str) -> None:
    vectors = encoder.encode(MESSAGES[feeling])
    assert [sentiment.judge(vector) for vector in vectors] == [feeling] * len(vectors)
