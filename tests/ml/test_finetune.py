import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from ml import weights
from ml.encoder import Encoder
from ml.errors import DataError, ModelError
from ml.finetune import Config, tune
from ml.intent import IntentModel
from ml.types import Example

TAUGHT = {
    "delivery": [
        "Where is my order?",
        "When will my parcel arrive?",
        "My package has not come yet",
        "我的订单到哪了",
        "快递什么时候到",
        "包裹还没有收到",
    ],
    "refund": [
        "I want my money back",
        "How do I get a refund?",
        "Please refund this purchase",
        "我要退款",
        "退款什么时候到账",
        "怎么申请退款",
    ],
    "opening_hours": [
        "When do you open?",
        "What are your opening hours?",
        "Are you open on Sunday?",
        "你们几点开门",
        "营业时间是什么时候",
        "周末开门吗",
    ],
    "password": [
        "I forgot my password",
        "How can I reset my password?",
        "I cannot log in any more",
        "我忘记密码了",
        "怎么修改密码",
        "登录不了账号",
    ],
}
EXAMPLES = [Example(text, label) for label, texts in TAUGHT.items() for text in texts]
ASKED = {
    "Has my order been shipped?": "delivery",
    "can i have a refund for these shoes": "refund",
    "what time do you open tomorrow": "opening_hours",
    "密码忘了怎么办": "password",
    "退我钱": "refund",
}
QUICK = {"epochs": 2, "batch": 8, "rank": 4, "refit": False, "held_out": 0.25}


class Tuning:
    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self.encoder, self.folder = encoder, folder

    def __call__(self, examples=EXAMPLES, *, changes=None, **options) -> IntentModel:
        config = Config.suited(len(examples), **(QUICK | (changes or {})))
        return tune(self.encoder, self.folder, examples, config=config, **options)


@pytest.fixture
def run(encoder: Encoder, weights_folder: Path):
    return Tuning(encoder, weights_folder)


@pytest.fixture(scope="module")
def small() -> Tuning:
    """Half the layers, for what does not depend on what the encoder knows."""
    folder = weights.locate(weights.ENGLISH, cache=Path())
    return Tuning(Encoder.load(folder), folder)


def distance(model: IntentModel, other: IntentModel) -> float:
    """Of what both learned, in lengths of the second."""
    assert model.adapter is not None
    assert other.adapter is not None
    one, two = (
        np.concatenate([tensor.ravel() for _, tensor in sorted(adapter.tensors.items())])
        for adapter in (model.adapter, other.adapter)
    )
    return float(np.linalg.norm(one - two) / np.linalg.norm(two))


def test_a_tuned_model_understands_both_languages(run, encoder: Encoder, tmp_path: Path) -> None:
    changes = {"epochs": 4, "refit": True, "joined": True}
    model = run(changes=changes, background=["红烧肉怎么做", "Sing a song"])
    assert model.adapter.rank == QUICK["rank"]
    vectors = model.read(list(ASKED), encoder.encode)
    assert [p.label for p in model.predict(vectors, list(ASKED))] == list(ASKED.values())
    assert all(0 <= p.confidence <= 1 for p in model.predict(vectors, list(ASKED)))
    model.save(tmp_path / "model")
    again = IntentModel.load(tmp_path / "model")
    assert again.predict(vectors, list(ASKED)) == model.predict(vectors, list(ASKED))
    assert again.space(encoder.fingerprint) == model.space(encoder.fingerprint)
    assert again.space(encoder.fingerprint) != encoder.fingerprint
    assert again.report == json.loads(json.dumps(model.report))


def test_the_report_compares_with_the_instant_model_on_the_same_texts(small) -> None:
    report = small().report
    assert report["step"] == "tuned"
    assert report["before"]["texts"] == report["held_out"]["scores"]["texts"] > 0
    assert [point["at"] for point in report["learning"]["points"]] == [1.0, 2.0]
    assert sum(row["support"] for row in report["held_out"]["intents"]) == report["before"]["texts"]
    assert report["held_out"]["cuts"]
    assert report["cost"]["cpu_seconds"] > 0
    assert report["cost"]["peak_memory"] > 1e8
    assert report["config"]["epochs"] == 2


def test_a_model_of_another_encoder_is_refused(small) -> None:
    with pytest.raises(ModelError, match="tuned on the encoder"):
        small().space("another")


def test_a_killed_run_goes_on_to_the_same_result(small, tmp_path: Path) -> None:
    # bfloat16 rounds so coarsely that a step that is done twice would look like chance.
    changes = {"checkpoint_seconds": 0.0, "accumulate": 2, "epochs": 2, "dtype": "float32"}
    whole = small(changes=changes)

    def kill(share: float, told: str) -> None:
        if "epoch 2, batch 3" in told:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(changes=changes, checkpoint=tmp_path / "c", progress=kill)
    lines: list[str] = []
    again = small(
        changes=changes, checkpoint=tmp_path / "c", progress=lambda _, told: lines.append(told)
    )
    assert any("going on after step" in line for line in lines)
    assert not any("epoch 1, batch" in line for line in lines)
    assert distance(again, whole) < 1e-4
    assert distance(again, small(changes=changes | {"seed": 1})) > 1


def test_the_checkpoint_of_other_examples_is_not_taken_up(small, tmp_path: Path) -> None:
    small(changes={"epochs": 1}, checkpoint=tmp_path / "c")
    lines: list[str] = []
    small(
        EXAMPLES[:-1],
        changes={"epochs": 1},
        checkpoint=tmp_path / "c",
        progress=lambda _, told: lines.append(told),
    )
    assert any("of another training" in line for line in lines)


def test_a_full_disk_costs_the_checkpoint_only(small, tmp_path: Path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ml.artifact.os.fsync", full)
    lines: list[str] = []
    model = small(checkpoint=tmp_path / "c", progress=lambda _, told: lines.append(told))
    assert any("no checkpoint was written, training goes on" in line for line in lines)
    assert any("no space left" in line for line in lines)
    assert model.adapter is not None
    assert list((tmp_path / "c").iterdir()) == []


def test_what_progress_raises_cancels(small) -> None:
    def cancel(share: float, told: str) -> None:
        raise InterruptedError(told)

    with pytest.raises(InterruptedError):
        small(progress=cancel)


def test_a_switch_that_is_tried_is_kept_only_where_it_helps(small) -> None:
    changes = {"adversarial": "try", "contrastive": "try", "typos": "on", "pretrain": "on"}
    report = small(changes=changes | {"epochs": 1}, unlabelled=["who are you"]).report
    assert {row["name"] for row in report["switches"]} == {"adversarial", "contrastive"}
    for row in report["switches"]:
        assert row["kept"] == (report["config"][row["name"]] == "on")
        assert not row["kept"] or row["with_it"] >= row["without"]


def test_self_training_learns_from_messages_without_a_label(run, encoder: Encoder) -> None:
    unlabelled = ["has it been shipped", "money back please", "reset it", "还没到", "几点下班"] * 3
    model = run(changes={"self_training": "on"}, unlabelled=unlabelled)
    vectors = model.read(list(ASKED), encoder.encode)
    assert [p.label for p in model.predict(vectors, list(ASKED))] == list(ASKED.values())


def test_hard_negatives_teach_the_passages_too(run, encoder: Encoder) -> None:
    pairs = [
        ("How long do refunds take?", "Refunds reach the card within five days."),
        ("Can I change my address?", "An address can be changed until the parcel leaves."),
        ("How do I pay?", "Cards, Alipay and WeChat Pay are taken."),
        ("运费多少", "满九十九元免运费。"),
    ]
    model = run(passages=pairs, changes={"hard_negatives": "on"})
    assert not any("hard_negatives" in note for note in model.report["notes"])
    questions = encoder.encode([q for q, _ in pairs], adapter=model.adapter)
    passages = encoder.encode([p for _, p in pairs], kind="passage", adapter=model.adapter)
    assert (questions @ passages.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_a_switch_with_nothing_to_work_on_says_so(small) -> None:
    changes = {"self_training": "try", "paraphrase": "on", "hard_negatives": "on", "epochs": 1}
    notes = " ".join(small(changes=changes, unlabelled=[]).report["notes"])
    for name in ("self_training", "paraphrase", "hard_negatives"):
        assert f"{name} did nothing" in notes


def test_no_examples_are_an_error(small) -> None:
    with pytest.raises(DataError, match="no examples"):
        small([])


@pytest.mark.parametrize(
    ("examples", "why"),
    [
        ([Example("hello", "a"), Example("你好", "a")], "one intent only"),
        ([Example("hello", "a"), Example("hello", "b")], "all texts are equal"),
    ],
)
def test_what_teaches_nothing_gives_the_instant_model(small, examples, why) -> None:
    model = small(examples)
    assert model.adapter is None
    assert any(why in note for note in model.report["notes"])
    assert model.predict(small.encoder.encode(["hello"]), ["hello"])[0].label == "a"


def test_one_example_for_each_intent_trains_without_a_held_out_part(small) -> None:
    model = small([Example(texts[0], label) for label, texts in TAUGHT.items()])
    assert any("nothing could be held out" in note for note in model.report["notes"])
    assert model.report["held_out"] is None
    asked = ["Where is my order?"]
    found = model.predict(small.encoder.encode(asked, adapter=model.adapter), asked)
    assert (found[0].label, found[0].in_scope) == ("delivery", True)


def test_odd_texts_train_and_are_named(small) -> None:
    odd = [
        Example("退款 " * 50_000, "refund"),
        Example("🙂🙃 où est ma commande заказ 注文", "delivery"),
        Example("I want my money back", "delivery"),
        Example("\ud800", "password"),
    ]
    notes = " ".join(small([*EXAMPLES, *odd]).report["notes"])
    assert "1 texts are examples of two or more intents" in notes
    assert "1 texts are over 1000 characters" in notes


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epoch": 3}, "no setting epoch"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"rate": "fast"}, "rate must be a number"),
        ({"rate": 3}, "rate must be from 0 to 1"),
        ({"typos": "yes"}, 'typos must be "off", "on" or "try"'),
        ({"refit": "yes"}, "refit must be true or false"),
    ],
)
def test_a_setting_that_is_wrong_is_named(values, said) -> None:
    with pytest.raises(DataError, match=said):
        Config.from_json(values)


def test_settings_survive_json() -> None:
    config = Config.suited(100, adversarial="try")
    assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_the_adapter_gives_the_vectors_that_it_was_trained_with(small) -> None:
    from ml.lora import Trainee

    model = small(changes={"dtype": "float32"})
    assert model.adapter is not None
    trainee = Trainee.load(small.folder, rank=4, dtype="float32")
    trainee.load_adapter(model.adapter)
    theirs = small.encoder.encode(list(ASKED), adapter=model.adapter)
    assert np.abs((trainee.encode(list(ASKED)) * theirs).sum(axis=1) - 1).max() < 0.01
    assert trainee.adapter().name == model.adapter.name


@pytest.mark.parametrize(("older", "newer"), [("refund", "returns"), ("returns", "refund")])
def test_a_new_intent_gives_way_to_an_old_one(older: str, newer: str, small: Tuning) -> None:
    """Both have the same examples: what the older one was asked before stays rather its own."""
    texts = TAUGHT["refund"]
    torn = [*EXAMPLES, *(Example(text, "returns") for text in texts)]
    long = {"epochs": 20, "batch": 64, "held_out": 0.0}
    model = small(torn, rounds={newer: 1}, changes=long)
    chances = model.chances(model.read(texts, small.encoder.encode), texts)
    old, new = (chances[:, model.labels.index(name)] for name in (older, newer))
    assert (old > new).all()
