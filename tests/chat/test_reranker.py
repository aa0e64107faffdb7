"""A cross-encoder orders the best passages anew; one that is none is named at start-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks

from ml.reranker import Reranker
from saas import engine
from tests.chat.test_knowledge import ask

PAIRS = [
    {"question": "How long does shipping to Norway take?", "answer": "Nine days."},
    {"question": "How long does shipping to Sweden take?", "answer": "Seven days."},
    {"question": "How long does shipping to Denmark take?", "answer": "Six days."},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder that has learned nothing: what it says is chance, and always the same."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    path = tmp_path_factory.mktemp("reranker")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "norway",
        "sweden",
        "denmark",
        "nine",
        "six",
    ]
    BertTokenizerFast(vocab={word: n for n, word in enumerate(words)}).save_pretrained(path)
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=len(words), intermediate_size=16, num_labels=1, **size)
    config.initializer_range = 0.3
    BertForSequenceClassification(config).save_pretrained(path)
    return path


@pytest.fixture
def named(settings: Any) -> Any:
    def named(path: Path) -> None:
        settings.RERANKER = str(path)
        engine._reranker.cache_clear()

    yield named
    engine._reranker.cache_clear()


def test_the_first_source_is_the_one_that_it_scores_highest(
    shop, folder, named, worked_off
) -> None:
    with worked_off():
        shop.call.post("knowledge", PAIRS)
    question = "How long does shipping to Sweden take?"
    plain = ask(shop, question)["sources"]
    named(folder)

    found = ask(shop, question)["sources"]

    texts = [f"{pair['question']}\n{pair['answer']}" for pair in PAIRS]
    scores = Reranker.load(folder).scores(question, texts).tolist()
    order = sorted(PAIRS, key=lambda pair: -scores[PAIRS.index(pair)])
    assert plain[0]["question"] == question
    assert len(set(scores)) == len(scores)
    assert [one["question"] for one in found] == [pair["question"] for pair in order]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (None, "no readable config.json"),
        ({"architectures": ["BertModel"]}, "no cross-encoder"),
        (
            {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "a", "1": "b"}},
            "gives 2 scores",
        ),
    ],
)
def test_a_folder_that_holds_none_is_named_at_start_up(tmp_path, named, config, says) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    named(tmp_path)

    (error,) = [found for found in run_checks() if found.id == "frontdesk.E007"]

    assert says in error.msg
