"""A cross-encoder: it reads a question and a passage together, slower and closer than two vectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml.errors import WeightsError
from ml.types import Vectors

MAX_TOKENS = 512
BATCH = 8


class Reranker:
    """One cross-encoder in memory (Nogueira and Cho 2019, arXiv:1901.04085). Safe in several threads."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model, self._tokenizer = model, tokenizer

    @classmethod
    def load(cls, folder: Path) -> Self:
        """From a Hugging Face folder, on the GPU where there is one. Raises `WeightsError`."""
        import torch
        import transformers

        check(folder)
        try:
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise WeightsError(f"the re-ranker in {folder} cannot be loaded: {error}") from error
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(model.to(device).eval().requires_grad_(False), tokenizer)

    def scores(self, question: str, passages: Sequence[str]) -> Vectors:
        """float32[passages]: the greater, the better a passage answers."""
        import torch

        most = min(MAX_TOKENS, int(self._model.config.max_position_embeddings))
        found = []
        with torch.inference_mode():
            for start in range(0, len(passages), BATCH):
                part = list(passages[start : start + BATCH])
                batch = self._tokenizer(
                    [question] * len(part),
                    part,
                    truncation="longest_first",
                    max_length=most,
                    padding=True,
                    return_tensors="pt",
                )
                logits = self._model(**batch.to(self._model.device)).logits
                found.append(logits[:, 0].float().cpu().numpy())
        scores: Vectors = np.concatenate(found) if found else np.empty(0, dtype=np.float32)
        return scores


def check(folder: Path) -> None:
    """Raises `WeightsError` where a folder plainly holds no cross-encoder; reads its config only."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kinds, labels = config.get("architectures") or [], config.get("id2label") or {}
    except (OSError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{folder} is no model folder: it has no readable config.json"
        ) from error
    if not any(str(kind).endswith("ForSequenceClassification") for kind in kinds):
        raise WeightsError(f"the model in {folder} is no cross-encoder: it scores no pair of texts")
    if len(labels) > 1:
        raise WeightsError(
            f"the model in {folder} gives {len(labels)} scores, a re-ranker gives one"
        )
