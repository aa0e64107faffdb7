"""Explanations: the words that moved an intent, and the examples that are near."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ml.adapters import Adapter
from ml.encoder import Encoder
from ml.errors import DataError, ModelError
from ml.explain import Explainer, Explanation, nearest
from ml.head import Head
from ml.intent import IntentModel
from ml.spelling import Spelling
from ml.types import Example
from tests.training import phrases


@pytest.fixture(scope="module")
def model(encoder: Encoder) -> IntentModel:
    rows = phrases.rows()
    texts = [row["text"] for row in rows]
    fitted = IntentModel.fit(encoder.encode(texts), [row["intent"] for row in rows])
    classes = np.asarray([fitted.labels.index(row["intent"]) for row in rows])
    fitted.spelling = Spelling.fit(texts, classes, count=len(fitted.labels))
    return fitted


@pytest.fixture(scope="module")
def explainer(weights_folder: Path) -> Explainer:
    return Explainer.load(weights_folder)


def explain(explainer: Explainer, model: IntentModel, text: str, intent: str) -> Explanation:
    return explainer.explain(
        text, head=model.head, labels=model.labels, intent=intent, spelling=model.spelling
    )


CARRIERS = [
    ("I would like to get a refund please", "refund", "refund"),
    ("Hello, where can I see how my parcel is doing?", "order_status", "parcel"),
    ("Please help me, I do not remember my password", "password", "password"),
    ("请问怎么修改我的登录密码", "password", "密码"),
    ("你好，我想查一下快递", "order_status", "快递"),
]


@pytest.mark.parametrize(("text", "intent", "word"), CARRIERS)
def test_the_word_that_carries_the_intent_weighs_most(
    text: str, intent: str, word: str, explainer, model
) -> None:
    found = explain(explainer, model, text, intent)
    heaviest = max(found.tokens, key=lambda token: token.weight)
    assert heaviest.text == word
    assert found.intent == intent


@pytest.mark.parametrize(("text", "intent", "word"), CARRIERS)
def test_the_weights_add_up_to_what_the_served_model_says(
    text: str, intent: str, word: str, explainer, model, encoder
) -> None:
    found = explain(explainer, model, text, intent)
    logits = model.head.logits(encoder.encode([text]))[0] + model.spelling.margins([text])[0]
    score = logits[model.labels.index(intent)] - logits.mean()
    # The encoder that serves may be bfloat16.
    assert found.score == pytest.approx(score, abs=0.15)
    moved = sum(token.weight for token in found.tokens)
    assert moved == pytest.approx(found.score - found.baseline, abs=0.05 * abs(found.score))


@pytest.mark.parametrize(
    "text",
    [
        "  👩‍👩‍👧 reembolso 退款please!! ",
        "😀😀",
        "ｗｈｅｒｅ is ½ my pärcel",
        "a",
        "พัสดุ ของฉันอยู่ที่ไหน",
        "?!",
        "\n退款\t\u3000退款",
    ],
)
def test_every_weight_has_its_place_in_the_text(text: str, explainer, model) -> None:
    found = explain(explainer, model, text, "refund")
    places = [(token.start, token.end) for token in found.tokens]
    assert places == sorted(places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert all(token.text == text[token.start : token.end] != "" for token in found.tokens)
    assert all(np.isfinite(token.weight) for token in found.tokens)
    assert found.end == places[-1][1] <= len(text)


def test_pieces_of_a_word_are_one_token(explainer, model) -> None:
    found = explain(explainer, model, "reembolso mañana, unbelievably 退款please", "refund")
    words = [token.text for token in found.tokens]
    assert [word for word in words if word.isascii()] == [
        "reembolso",
        ",",
        "unbelievably",
        "please",
    ]
    assert "mañana" in words


def test_a_long_text_is_read_as_far_as_time_allows(explainer, model) -> None:
    text = "please refund " * 8_000
    found = explain(explainer, model, text, "refund")
    assert 500 < found.end < 16_384


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_text_without_words_is_refused(text: str, explainer, model) -> None:
    with pytest.raises(DataError, match="no word"):
        explain(explainer, model, text, "refund")


def test_an_intent_that_the_model_lacks_is_refused(explainer, model) -> None:
    with pytest.raises(DataError, match="'cats' is none of the model's 4 intents"):
        explain(explainer, model, "refund", "cats")


def test_with_an_adapter_it_explains_the_adapted_encoder(explainer, model, encoder) -> None:
    rng = np.random.default_rng(0)
    path = "encoder.layer.11.output.dense"
    tensors = {
        f"{path}.a": 0.5 * rng.normal(size=(4, 1536)).astype(np.float32),
        f"{path}.b": 0.5 * rng.normal(size=(384, 4)).astype(np.float32),
    }
    adapter = Adapter(encoder.fingerprint, tensors)
    text, given = "I want a refund", {"head": model.head, "labels": model.labels}
    plain = explainer.explain(text, **given, intent="refund")
    adapted = explainer.explain(text, **given, intent="refund", adapters=[adapter])
    logits = model.head.logits(encoder.encode([text], adapter=adapter))[0]
    score = logits[model.labels.index("refund")] - logits.mean()
    assert adapted.score == pytest.approx(score, abs=0.15)
    assert abs(adapted.score - plain.score) > 0.3
    # And nothing of it stays for the next tenant.
    assert explainer.explain(text, **given, intent="refund") == plain


def test_a_tuned_models_head_is_linear(explainer, encoder) -> None:
    weight = np.random.default_rng(0).normal(size=(3, encoder.dimension)).astype(np.float32)
    text, labels = "I want a refund", ["refund", "order", "other"]
    found = explainer.explain(text, head=Head.linear(weight), labels=labels, intent="order")
    logits = encoder.encode([text])[0] @ weight.T
    assert found.score == pytest.approx(logits[1] - logits.mean(), abs=0.05)
    moved = sum(token.weight for token in found.tokens)
    assert moved == pytest.approx(found.score - found.baseline, abs=0.1)


def test_a_head_that_reads_both_is_explained_by_both(explainer, model, encoder) -> None:
    weight = np.random.default_rng(0).normal(size=(len(model.labels), encoder.dimension))
    head = Head.both(weight.astype(np.float32), model.head, share=0.5)
    text = "I want a refund"
    found = explainer.explain(
        text, head=head, labels=model.labels, intent="refund", adapters=[None, None]
    )
    logits = head.logits(np.hstack([encoder.encode([text])] * 2))[0]
    score = logits[model.labels.index("refund")] - logits.mean()
    assert found.score == pytest.approx(score, abs=0.15)
    moved = sum(token.weight for token in found.tokens)
    assert moved == pytest.approx(found.score - found.baseline, abs=0.15)


def test_another_encoders_adapter_is_refused(explainer, model) -> None:
    with pytest.raises(ModelError, match="belongs to the encoder other"):
        explainer.explain(
            "refund",
            head=model.head,
            labels=model.labels,
            intent="refund",
            adapters=[Adapter("other", {})],
        )


def test_the_nearest_examples_come_first(encoder) -> None:
    examples = [Example(row["text"], row["intent"]) for row in phrases.rows()]
    vectors = encoder.encode([example.text for example in examples])
    found = nearest(encoder.encode(["我要退款"]), vectors, examples, count=3)
    assert (found[0].text, found[0].intent) == ("我要退款", "refund")
    assert found[0].similarity == pytest.approx(1, abs=0.01)
    assert [row.similarity for row in found] == sorted(
        (row.similarity for row in found), reverse=True
    )
    assert len(nearest(vectors[:1], vectors[:2], examples[:2], count=5)) == 2
