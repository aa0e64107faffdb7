from pathlib import Path

import numpy as np
import pytest

from ml.adapters import Adapter
from ml.calibration import Aim
from ml.encoder import Encoder
from ml.errors import ArtifactError, DataError
from ml.familiarity import Familiarity
from ml.head import Head
from ml.intent import IntentModel

TAUGHT = {
    "where_is_order": [
        "Where is my order?",
        "When will my parcel arrive?",
        "My package has not come yet",
        "Track my delivery please",
        "我的订单到哪了",
        "快递什么时候到",
        "包裹还没有收到",
        "帮我查一下物流",
    ],
    "refund": [
        "I want my money back",
        "How do I get a refund?",
        "Please refund this purchase",
        "When is my refund paid out?",
        "我要退款",
        "退款什么时候到账",
        "怎么申请退款",
        "钱还没有退给我",
    ],
    "opening_hours": [
        "When do you open?",
        "What are your opening hours?",
        "Are you open on Sunday?",
        "Until when is the shop open today?",
        "你们几点开门",
        "营业时间是什么时候",
        "周末开门吗",
        "今天几点关门",
    ],
    "password": [
        "I forgot my password",
        "How can I reset my password?",
        "I cannot log in any more",
        "Change my login password",
        "我忘记密码了",
        "怎么修改密码",
        "登录不了账号",
        "重置我的密码",
    ],
}
ASKED = {
    "Has my order been shipped?": "where_is_order",
    "can i have a refund for these shoes": "refund",
    "what time do you close": "opening_hours",
    "密码忘了怎么办": "password",
    "我的快递呢": "where_is_order",
    "退我钱": "refund",
}
TEXTS = [text for texts in TAUGHT.values() for text in texts]
STRANGE = ["Write a poem about the sea", "红烧肉怎么做才好吃", "Who won the world cup in 1998?"]


@pytest.fixture(scope="module")
def taught(encoder: Encoder) -> tuple[np.ndarray, list[str]]:
    return encoder.encode(TEXTS), [label for label, texts in TAUGHT.items() for _ in texts]


@pytest.fixture(scope="module")
def model(taught) -> IntentModel:
    return IntentModel.fit(*taught, texts=TEXTS)


def test_it_understands_both_languages(model: IntentModel, encoder: Encoder):
    predictions = model.predict(encoder.encode(list(ASKED)), list(ASKED))
    assert [p.label for p in predictions] == list(ASKED.values())
    for p in predictions:
        assert p.in_scope
        assert p.alternatives[0].label == p.label
        chances = [guess.probability for guess in p.alternatives]
        assert chances == sorted(chances, reverse=True)
        assert p.confidence == chances[0]
        assert 0 < sum(chances) <= 1 + 1e-9


def test_it_knows_what_it_does_not_know(model: IntentModel, encoder: Encoder):
    strange = encoder.encode(STRANGE)
    assert [p.in_scope for p in model.predict(strange, STRANGE)] == [False] * len(STRANGE)
    assert model.scores(strange).max() < model.scores(encoder.encode(list(ASKED))).min()


def test_it_says_how_good_it_is(model: IntentModel):
    assert model.labels == sorted(TAUGHT)
    assert model.metrics["examples"] == 32
    assert model.metrics["classes"] == 4
    for name in ("accuracy", "macro_f1", "ece", "oos_auroc", "oos_recall", "in_scope_recall"):
        assert 0 <= model.metrics[name] <= 1
    assert model.metrics["accuracy"] > 0.8


def test_a_saved_model_is_the_same_model(model: IntentModel, taught, tmp_path: Path):
    model.save(tmp_path / "model")
    loaded = IntentModel.load(tmp_path / "model")
    assert loaded.predict(taught[0], TEXTS) == model.predict(taught[0], TEXTS)
    assert (loaded.labels, loaded.metrics) == (model.labels, model.metrics)
    path = tmp_path / "model" / "tensors.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ArtifactError):
        IntentModel.load(tmp_path / "model")


def test_the_spelling_tells_what_vectors_do_not(tmp_path: Path):
    """These vectors are noise; after loading it is spelled the same."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(80, 16)).astype(np.float32)
    words = {"tariff": "ZX-9 {} tariff", "roaming": "ab {} 漫游 roam"}
    labels = [name for name in words for _ in range(30)]
    texts = [words[label].format(row) for row, label in enumerate(labels)]
    model = IntentModel.fit(noise[:60], labels, texts=texts)
    asked = ["my zx-9 please", "漫游 in Spain"] * 10
    predictions = model.predict(noise[60:], asked)
    assert [p.label for p in predictions] == ["tariff", "roaming"] * 10
    model.save(tmp_path / "model")
    assert IntentModel.load(tmp_path / "model").predict(noise[60:], asked) == predictions


def test_a_tuned_head_and_an_instant_one_are_right_together(tmp_path: Path):
    """Each knows half of the intents by its own vectors; after loading it reads the same."""
    rng = np.random.default_rng(0)
    labels = [name for name in ("a", "b", "c", "d") for _ in range(20)]
    places = np.repeat(np.arange(4), 20)
    noise = rng.normal(scale=0.1, size=(80, 8)).astype(np.float32)
    plain = noise.copy()
    plain[np.arange(80), np.where(places < 2, places, 7)] += 1
    tuned = noise.copy()
    tuned[np.arange(80), np.where(places < 2, 7, places)] += 1
    instant = IntentModel.fit(plain, labels)
    weight = 4 * np.eye(4, 8, dtype=np.float32)
    model = IntentModel(
        instant.labels,
        Head.both(weight, instant.head, share=1.0),
        Familiarity.fit(tuned, places, None),
        calibration=instant.calibration,
        report={},
        adapter=Adapter("some", {"layer.a": noise[:2], "layer.b": noise[:8, :2]}),
        asked=tuned[:2],
    )

    def encode(texts, *, kind, adapter):
        assert kind == "query"
        return plain if adapter is None else tuned

    texts = [""] * 80
    read = model.read(texts, encode)
    assert [p.label for p in model.predict(read, texts)] == labels
    np.testing.assert_array_equal(model.own(read), tuned)
    model.save(tmp_path / "model")
    again = IntentModel.load(tmp_path / "model")
    assert again.predict(again.read(texts, encode), texts) == model.predict(read, texts)
    np.testing.assert_allclose(again.asked, tuned[:2], atol=1e-3)


def test_the_same_seed_gives_the_same_model(taught):
    first, second = IntentModel.fit(*taught, seed=3), IntentModel.fit(*taught, seed=3)
    np.testing.assert_array_equal(first.scores(taught[0]), second.scores(taught[0]))


def test_progress_rises_to_one_and_can_cancel(taught):
    seen: list[float] = []
    IntentModel.fit(*taught, progress=lambda share, _: seen.append(share))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def cancel(share: float, message: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        IntentModel.fit(*taught, progress=cancel)


def test_one_example_of_each_intent_is_enough_to_start(encoder: Encoder):
    texts = {label: examples[0] for label, examples in TAUGHT.items()}
    one_each = list(texts.values())
    model = IntentModel.fit(encoder.encode(one_each), list(texts), texts=one_each)
    assert "accuracy" not in model.metrics  # nothing was held out
    predictions = model.predict(encoder.encode(one_each), one_each)
    assert [p.label for p in predictions] == list(texts)
    assert all(p.in_scope for p in predictions)


@pytest.mark.parametrize(
    "labels", [["a"], ["a", "b"], ["a", "a"], ["a"] * 5, ["a", "b"] * 4, ["a", "b", "c", "d", "d"]]
)
def test_tiny_equal_and_contradictory_examples_are_no_crash(encoder: Encoder, labels: list[str]):
    for texts in (["same text"] * len(labels), [f"text {n}" for n in range(len(labels))]):
        vectors = encoder.encode(texts)
        model = IntentModel.fit(vectors, labels, texts=texts)
        for prediction in model.predict(vectors, texts):
            assert prediction.label in labels
            assert 0 < prediction.confidence <= 1
        assert np.isfinite(model.scores(vectors)).all()
        assert all(np.isfinite(value) for value in model.metrics.values())


def test_contradictory_labels_share_the_confidence(encoder: Encoder):
    texts = ["退款"] * 20
    model = IntentModel.fit(encoder.encode(texts), ["a", "b"] * 10, texts=texts)
    prediction = model.predict(encoder.encode(texts[:1]), texts[:1])[0]
    assert prediction.confidence == pytest.approx(0.5, abs=0.1)


def test_nothing_in_nothing_out(model: IntentModel):
    nothing = np.zeros((0, 384), dtype=np.float32)
    assert model.predict(nothing, []) == []
    assert model.scores(nothing).shape == (0,)
    with pytest.raises(DataError, match="no examples"):
        IntentModel.fit(nothing, [])


def test_what_does_not_fit_is_refused(taught):
    with pytest.raises(DataError, match="do not fit"):
        IntentModel.fit(taught[0], ["a"])
    with pytest.raises(DataError, match="do not fit"):
        IntentModel.fit(*taught, texts=["退款"])
    with pytest.raises(DataError, match="finite"):
        IntentModel.fit(np.full((2, 4), np.nan, dtype=np.float32), ["a", "b"])


def test_a_stated_precision_is_kept_on_held_out_texts(taught):
    """Some of the labels are wrong here, so that without the wish some answers are."""
    vectors, labels = taught
    mixed = [labels[row - 11] if row % 11 == 0 else label for row, label in enumerate(labels)]
    plain = IntentModel.fit(vectors, mixed)
    precise = IntentModel.fit(vectors, mixed, aim=Aim(precision=1.0))
    assert plain.metrics["precision"] < 1.0 == precise.metrics["precision"]
    assert precise.metrics["in_scope_recall"] < plain.metrics["in_scope_recall"]
    assert precise.report["notes"] == ()


def test_a_precision_out_of_reach_is_said_and_changes_nothing(encoder: Encoder):
    labels = [f"{row % 2}" for row in range(len(TEXTS))]
    vectors = encoder.encode(TEXTS)
    told = IntentModel.fit(vectors, labels, aim=Aim(precision=1.0))
    plain = IntentModel.fit(vectors, labels)
    assert told.metrics == plain.metrics
    assert told.report["notes"][0].startswith("no threshold reaches a precision of 1.000")
