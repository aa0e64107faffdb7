"""Why a text was given its intent: the words that moved it, and the examples that it is like."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml import encoder, weights
from ml.adapters import Adapter, AdapterBank
from ml.errors import DataError
from ml.head import Head
from ml.spelling import Spelling
from ml.types import Example, Vectors
from ml.words import Piece, Token, merge

METHOD = "integrated gradients"
MAX_TOKENS = 256  # of one text, so that an answer comes in seconds; the rest is not explained
STEPS = (12, 48)  # along the path from the empty text: fewest and most
WORK = 2_048  # tokens that go through the encoder for one text, over all steps
BATCH_TOKENS = 1_024  # of them at a time


@dataclass(frozen=True, slots=True)
class Explanation:
    """`score` is how far the intent's logit lies above the mean of all; `baseline` is that of no text.

    The weights add up to `score - baseline - delta`: `delta` is what the steps along the path left
    out. `end` is how far the text was read.
    """

    intent: str
    tokens: tuple[Token, ...]
    score: float
    baseline: float
    delta: float
    end: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training example; `similarity` is the cosine of its vector and the text's."""

    text: str
    intent: str
    similarity: float


class Explainer:
    """A copy of the encoder in float32, for gradients; the one that serves is never touched.

    Safe to call from several threads: `explain` waits for the one before it.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, recipe: weights.Recipe, fingerprint: str, pad: int
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._bank = AdapterBank(model, encoder=fingerprint)
        self._pad = pad
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> Self:
        """From the folder of the encoder that the models were trained on. Raises `WeightsError`."""
        model = encoder.load_model(folder, "float32").to(device)
        tokenizer, pad = encoder.load_tokenizer(folder, model.config)
        tokenizer.enable_truncation(MAX_TOKENS)
        recipe = weights.recipe(folder)
        fingerprint = encoder.fingerprint_of(folder, recipe)
        return cls(model, tokenizer, recipe=recipe, fingerprint=fingerprint, pad=pad)

    def explain(
        self,
        text: str,
        *,
        head: Head,
        labels: Sequence[str],
        intent: str,
        adapters: Sequence[Adapter | None] = (None,),
        spelling: Spelling | None = None,
    ) -> Explanation:
        """What every word of the text did for `intent`, one of `labels`, by a model's head.

        The head reads the text's vectors with each of the `adapters`, side by side. What its spelling
        did besides, which is exact, is added.

        Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365) over the word embeddings,
        from a text of padding only to the text as it is. Raises `DataError` for a text without a
        word, or an intent that is none of the labels, and `ModelError` for another encoder's adapter.
        """
        if intent not in labels:
            raise DataError(f"{intent!r} is none of the model's {len(labels)} intents")
        with self._lock:
            pieces = self._pieces(text)
            if not any(piece.end for piece in pieces):
                raise DataError("the text holds no word that could be explained; send one")
            place = labels.index(intent)
            gains, score, baseline = self._integrate(pieces, head, place, adapters)
        tokens = tuple(merge(text, pieces, gains))
        if spelling is not None:
            spelled, nothing = spelling.characters(text, place)
            tokens = tuple(
                replace(t, weight=t.weight + float(spelled[t.start : t.end].sum())) for t in tokens
            )
            score, baseline = score + float(spelled.sum()) + nothing, baseline + nothing
        moved = sum(token.weight for token in tokens)
        return Explanation(
            intent, tokens, score, baseline, score - baseline - moved, tokens[-1].end
        )

    def _pieces(self, text: str) -> list[Piece]:
        """The tokens; those of the prefix and around the text have no place in it."""
        prefix = self._recipe.query
        coded = self._tokenizer.encode(prefix + encoder.clean(text))
        shift = len(text) - len(text.lstrip()) - len(prefix)
        return [
            Piece(number, start + shift, end + shift)
            if not special and end > len(prefix)
            else Piece(number, 0, 0)
            for number, (start, end), special in zip(
                coded.ids, coded.offsets, coded.special_tokens_mask, strict=True
            )
        ]

    def _integrate(
        self, pieces: Sequence[Piece], head: Head, place: int, adapters: Sequence[Adapter | None]
    ) -> tuple[list[float], float, float]:
        """What each piece added to the score, and the score with the text and without it."""
        import torch
        from captum.attr import IntegratedGradients

        table = self._model.get_input_embeddings()
        ids = [piece.id for piece in pieces]
        blank = [self._pad if piece.end else piece.id for piece in pieces]
        with torch.no_grad():
            both = table(torch.tensor([ids, blank], device=self._model.device))
            here, nothing = both.split(1)

        def score(embeddings: Any) -> Any:
            views = [self._vectors(embeddings, adapter) for adapter in adapters]
            logits = _logits(head, torch.cat(views, dim=1))
            return logits[:, place] - logits.mean(1)

        least, most = STEPS
        gains = IntegratedGradients(score).attribute(
            here,
            nothing,
            n_steps=min(most, max(least, WORK // len(ids))),
            internal_batch_size=max(1, BATCH_TOKENS // len(ids)),
        )
        with torch.no_grad():
            top, bottom = score(both).tolist()
        return gains.sum(2)[0].tolist(), top, bottom

    def _vectors(self, embeddings: Any, adapter: Adapter | None) -> Any:
        """Unit vectors, as `ml.encoder` makes them, of word embeddings float32[n, tokens, width]."""
        import torch

        with self._bank.beside([adapter]):
            states = self._model(inputs_embeds=embeddings).last_hidden_state
        pooled = states[:, 0] if self._recipe.pooling == "cls" else states.mean(1)
        return torch.nn.functional.normalize(pooled, dim=1)


def _logits(head: Head, vectors: Any) -> Any:
    """`Head.logits` on tensors, so that gradients go through it."""
    import torch

    t = {name: torch.from_numpy(part).to(vectors.device) for name, part in head.tensors.items()}
    if "linear" in t:
        width = len(t["linear"])
        tuned = vectors[:, :width] @ t["linear"]
        return tuned + _kernelled(head, t, vectors[:, width:]) if head.reads_both else tuned
    return _kernelled(head, t, vectors)


def _kernelled(head: Head, t: dict[str, Any], vectors: Any) -> Any:
    import torch

    scaled = (vectors - t["mean"]) / t["scale"]
    squares = scaled.square().sum(1)[:, None] + t["landmarks"].square().sum(1)[None, :]
    squares = (squares - 2 * scaled @ t["landmarks"].T).clamp(min=0)
    kernel = torch.exp(-head.gamma / scaled.shape[1] * squares)
    return kernel @ t["weight"] + t["bias"]


def nearest(
    vector: Vectors, vectors: Vectors, examples: Sequence[Example], *, count: int
) -> list[Neighbour]:
    """The examples most like a text, the most alike first.

    `vector` float32[1, d] and `vectors` float32[n, d] are unit vectors of the text and of the
    examples, made with the adapter of the same model.
    """
    likeness = vectors @ vector[0]
    return [
        Neighbour(examples[row].text, examples[row].label, float(likeness[row]))
        for row in np.argsort(-likeness, kind="stable")[:count].tolist()
    ]
