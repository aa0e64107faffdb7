"""What teaches without labels, or beside them: SimCSE, attacks on embeddings, contrast of pairs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml import adversarial, consistency, contrastive, pretrain
from ml.classifier import Classifier
from ml.course import Batch, Lesson
from ml.lora import Trainee

TEXTS = [
    "Where is my order?",
    "我的订单到哪了",
    "I want my money back",
    "我要退款",
    "When do you open?",
    "你们几点开门",
    "I forgot my password",
    "我忘记密码了",
]
CLASSES = np.asarray([0, 0, 1, 1, 2, 2, 3, 3], dtype=np.intp)


@pytest.fixture
def trainee(weights_folder: Path) -> Trainee:
    return Trainee.load(weights_folder, rank=4, dtype="float32", threads=1)


def spread(trainee: Trainee) -> float:
    """The mean cosine between different texts."""
    vectors = trainee.encode(TEXTS)
    return float((vectors @ vectors.T)[~np.eye(len(TEXTS), dtype=bool)].mean())


def test_adaptation_draws_different_messages_apart(trainee) -> None:
    before = spread(trainee)
    seen: list[float] = []
    for seed in range(3):
        pretrain.adapt(trainee, TEXTS, seed=seed, progress=lambda share, _: seen.append(share))
    assert spread(trainee) < before - 0.005
    assert seen == [1.0] * 3
    assert not trainee.model.training


@pytest.mark.parametrize("texts", [[], ["hello"], ["hello"] * 5])
def test_fewer_than_two_different_messages_change_nothing(trainee, texts) -> None:
    before = trainee.adapter().name
    pretrain.adapt(trainee, texts, seed=0, progress=lambda *_: None)
    assert trainee.adapter().name == before


def test_what_progress_raises_cancels(trainee) -> None:
    def cancel(share: float, told: str) -> None:
        raise InterruptedError(told)

    with pytest.raises(InterruptedError, match="adapting"):
        pretrain.adapt(trainee, TEXTS, seed=0, progress=cancel)


def batch_of(classifier: Classifier, ids: Any, mask: Any, vectors: Any) -> Batch:
    """All of the texts."""
    import torch

    told, rows = torch.from_numpy(CLASSES), list(range(len(TEXTS)))
    targets, ahead, weights = torch.eye(4)[told], torch.zeros(1), torch.ones(len(rows))
    logits = classifier.logits(vectors)
    return Batch(rows, ids, mask, told, targets, ahead, weights, vectors, logits, step=0)


@pytest.fixture
def step(trainee) -> tuple[Classifier, Batch, Lesson]:
    tokens = trainee.tokenize(TEXTS)
    frozen = trainee.encode_tokens(tokens)
    classifier = Classifier(trainee, frozen, CLASSES, count=4)
    ids, mask = trainee.batch(tokens)
    vectors = trainee.embed(ids, mask)
    batch = batch_of(classifier, ids, mask, vectors)
    lesson = Lesson(TEXTS, tokens, CLASSES, np.ones(len(tokens), dtype=np.float32), frozen)
    return classifier, batch, lesson


def test_an_attack_finds_where_the_classifier_is_weaker(step) -> None:
    import torch

    classifier, batch, _ = step
    clean = torch.nn.functional.cross_entropy(batch.logits, batch.classes).item()
    loss = adversarial.attack(classifier, batch)
    assert loss.item() / adversarial.WEIGHT > clean * 1.05
    loss.backward()
    moved = [p for p in classifier.trainee.parameters() if p.grad is not None and p.grad.any()]
    assert moved
    assert classifier.trainee.embeddings.weight.grad is None  # the shared weights stay


@pytest.mark.parametrize("kinds", [[], ["typos", "homophones"]], ids=["dropout", "errors"])
def test_two_readings_come_to_agree(kinds: list, step) -> None:
    """Where both are alike only the second reading's own loss is left."""
    import torch

    classifier, batch, lesson = step
    trainee = classifier.trainee
    told = consistency.Agreement(TEXTS, kinds, smoothing=0.1, seed=0)

    def loss() -> torch.Tensor:
        ids, mask = trainee.batch(lesson.tokens)
        vectors = trainee.embed(ids, mask)
        logits = classifier.logits(vectors)
        return told(classifier, replace(batch, vectors=vectors, logits=logits))

    alike = consistency.Agreement(TEXTS, [], smoothing=0.1, seed=0)
    trainee.model.eval()
    ids, mask = trainee.batch(lesson.tokens)
    vectors = trainee.embed(ids, mask)
    read = replace(batch, vectors=vectors, logits=classifier.logits(vectors))
    alone = alike(classifier, read).item()
    trainee.model.train()
    torch.manual_seed(0)
    apart = loss()
    assert apart.item() > alone
    apart.backward()
    assert any(p.grad is not None and p.grad.any() for p in trainee.parameters())


def test_words_are_misspelled_in_each_second_reading_and_characters_in_half(
    step, monkeypatch
) -> None:
    classifier, batch, _ = step
    read: list[str] = []
    vectors = Trainee.vectors

    def note(trainee: Trainee, texts: list[str]) -> Any:
        read.extend(texts)
        return vectors(trainee, texts)

    monkeypatch.setattr(Trainee, "vectors", note)
    told = consistency.Agreement(TEXTS, ["typos", "homophones"], smoothing=0.1, seed=0)
    for number in range(12):
        told(classifier, replace(batch, step=number))
    pairs = list(zip(TEXTS * 12, read, strict=True))
    changed = {
        chinese: [was != now for was, now in pairs if was.isascii() != chinese]
        for chinese in (False, True)
    }
    assert all(changed[False])
    assert 0.25 < sum(changed[True]) / len(changed[True]) < 0.75


def test_contrast_draws_an_intents_texts_together(step) -> None:
    import torch

    classifier, _, lesson = step
    trainee = classifier.trainee
    optimizer = torch.optim.AdamW(trainee.parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        ids, mask = trainee.batch(lesson.tokens)
        vectors = trainee.embed(ids, mask)
        batch = batch_of(classifier, ids, mask, vectors)
        loss = contrastive.Pairs(lesson, seed=0)(classifier, batch)  # the same partners each time
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1] < losses[0] * 0.95
    vectors = trainee.encode_tokens(lesson.tokens)
    nearest = (vectors @ vectors.T - 2 * np.eye(len(CLASSES))).argmax(axis=1)
    assert (CLASSES[nearest] == CLASSES).all()
