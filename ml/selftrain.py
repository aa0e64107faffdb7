"""What messages without a label say, given a few that have one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.head import Rows
from ml.types import Vectors
from ml.vectors import unit

ROUNDS = 6
WEIGHT = 0.1  # of a message without a label, beside 1 of an example
SHARPNESS = 3.0  # of the logits before they are balanced
BALANCE = 0.5  # 0 leaves the intents as frequent as they are guessed, 1 makes all equally frequent
MEANING = 0.7  # what the vectors' guess counts beside that of the spelling
GRAMS = 20_000  # runs of 2 to 4 characters
DIRECTIONS = 300
C = 10.0
STEPS = 30

Chances = NDArray[np.float64]


def guess(
    vectors: Vectors, classes: Rows, unlabelled: Vectors, *, texts: Sequence[str], count: int
) -> Chances:
    """float64[m, count]: how likely each of the `count` intents is for each unlabelled message.

    From float32[n, d] of examples with their classes, float32[m, d] of messages, and the texts of
    both. Two softmax regressions, on what a text means and on how it is spelled, teach each other
    (co-training, Blum and Mitchell 1998) by soft labels, round after round (Xie et al. 2020,
    arXiv:1911.04252). These are balanced by Sinkhorn's iterations as in self-labelling (Asano et
    al. 2020, arXiv:1911.05371): without that the frequent intents would swallow the others.
    """
    meaning = _centred(np.concatenate([vectors, unlabelled]))
    spelling = _centred(_spelling(texts))
    known = np.eye(count)[classes]
    n = len(vectors)

    def vote(taught: int, soft: Chances) -> Chances:
        """What both say of the messages, taught by the first so many texts."""
        means = _regress(meaning[:taught], soft)(meaning[n:])
        spells = _regress(spelling[:taught], soft)(spelling[n:])
        return _balanced(MEANING * means + (1 - MEANING) * spells)

    chances = vote(n, known)
    for _ in range(ROUNDS):
        chances = vote(len(meaning), np.concatenate([known, WEIGHT * chances]))
    return chances


def _spelling(texts: Sequence[str]) -> Vectors:
    """float32[n, 300]: how often runs of characters stand in each text, in its main directions."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counted = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=GRAMS
    ).fit_transform(texts)
    width = min(DIRECTIONS, counted.shape[1])
    found = TruncatedSVD(width, n_iter=3, random_state=0).fit_transform(counted)
    return np.asarray(found, dtype=np.float32)


def _centred(vectors: Vectors) -> Vectors:
    return unit(vectors - vectors.mean(axis=0))


def _balanced(logits: Vectors) -> Chances:
    chances: Chances = np.exp(
        SHARPNESS * (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    )
    share = len(chances) / chances.shape[1]
    for _ in range(3):
        chances /= np.maximum(chances.sum(axis=0) / share, 1e-12) ** BALANCE
        chances /= chances.sum(axis=1, keepdims=True)
    return chances


def _regress(vectors: Vectors, soft: Chances) -> Callable[[Vectors], Vectors]:
    """Softmax regression on soft labels; returns the function from vectors to logits."""
    import torch

    given, wanted = torch.from_numpy(vectors), torch.from_numpy(soft).float()
    weight = torch.zeros(vectors.shape[1], soft.shape[1], requires_grad=True)
    bias = torch.zeros(soft.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        chances = torch.log_softmax(given @ weight + bias, dim=1)
        total = weight.square().sum() / (2 * C) - (wanted * chances).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    w, b = weight.detach().numpy(), bias.detach().numpy()
    return lambda found: np.asarray(found @ w + b, dtype=np.float32)
