"""Answers that people have set right: kept, and asked of each version before it goes live."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ml.adapters import Adapter
from saas import engine
from saas.chat import teaching
from saas.training import intents
from tests.chat.test_knowledge import ask
from tests.training import phrases
from tests.training.test_runs import train, versions

DOG = "Can I bring my dog along, mail me at jo@tea.example"
TAUGHT = {
    DOG: "Dogs are welcome on a lead.",
    # Nothing but the vectors tells these from each other: they have the same words.
    "Does the lamp come with the table?": "The lamp is sold with the table.",
    "Does the table come with the lamp?": "The table is sold with the lamp.",
    "能在店里充电吗？": "店里每张桌子都有插座，可以免费充电。",
}


@pytest.fixture
def taught(shop: Any, worked_off: Any) -> Any:
    """A shop with a live version, whose bot was set right a few times."""
    shop.call.post("examples", phrases.rows())
    train(shop, worked_off)
    for question, answer in TAUGHT.items():
        told = shop.call.post("chat/messages", {"text": question}).json()
        with worked_off(), shop.scope():
            teaching.answer(told["message_id"], answer, actor="mei@shop.example")
    return shop


def deaf(monkeypatch: Any) -> None:
    """A run makes a model with an adapter to which all texts are much the same."""
    fit = intents.fit

    def badly(data: Any, task: Any, **more: Any) -> Any:
        model = fit(data, task, **more)
        width, tensors = engine.encoder()[0].dimension, {}
        for layer in range(12):
            path = f"encoder.layer.{layer}.attention.output.dense"
            tensors[f"{path}.a"] = np.ones((1, width), np.float32)
            tensors[f"{path}.b"] = np.random.default_rng(layer).normal(size=(width, 1)) * 9
            tensors[f"{path}.b"] = tensors[f"{path}.b"].astype(np.float32)
        model.adapter = Adapter(encoder=engine.fingerprint(), tensors=tensors)
        return model

    monkeypatch.setattr(intents, "fit", badly)


def test_a_version_that_forgets_a_corrected_answer_stays_out_and_its_report_says_which(
    taught, worked_off, monkeypatch
) -> None:
    train(taught, worked_off)
    second = versions(taught)[2]
    assert second["active"]
    assert [second["metrics"][f"{who}answers_accuracy"] for who in ("", "champion_")] == [1, 1]

    deaf(monkeypatch)
    run = train(taught, worked_off)

    held = versions(taught)[3]
    assert (run["state"], held["active"]) == ("succeeded", False)
    assert held["metrics"]["answers_accuracy"] < 1
    assert "questions with a corrected answer" in held["note"]
    path = f"versions/{held['id']}/report"
    lost = taught.call.get(path).json()["report"]["lost"]
    assert 0 < len(lost) < len(TAUGHT)
    assert set(lost) < set(TAUGHT)
    for language, said in {"en": "does not answer any more", "zh": "不再能回答"}.items():
        page = taught.call.get(f"{path}?language={language}&format=html").content.decode()
        assert all(f"<li>{question}</li>" in page for question in lost)
        assert said in page
    assert [ask(taught, question)["text"] for question in TAUGHT] == list(TAUGHT.values())


def test_what_is_kept_names_no_customer_and_goes_with_its_passage(taught, bank, worked_off) -> None:
    rows = taught.call.get("knowledge").json()["results"]
    assert {row["taught_by"] for row in rows} == {"mei@shop.example"}
    assert "jo@tea.example" not in str(rows)
    assert {row["source"] for row in rows} == {""}  # which customers see
    taught.call.post("knowledge", [{"question": "Where?", "answer": "Here."}])
    train(taught, worked_off)
    assert versions(taught)[2]["metrics"]["answers"] == len(TAUGHT)
    for row in rows:
        assert taught.call.delete(f"knowledge/{row['id']}").status_code == 204
    train(taught, worked_off)
    assert "answers" not in versions(taught)[3]["metrics"]
