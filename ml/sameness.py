"""Which questions ask the same, in whatever words: by what they say and what was answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.discovery import Groups
from ml.types import Vectors

# Chosen on every second thread of StackFAQ, for pairs in which hardly any is wrong. On the others: of
# the pairs joined 99% ask the same, and 75% of those that do are joined. By the questions alone it
# would be 54% at such care.
QUESTION_SHARE = 0.65  # of a likeness; the rest is the answers'
NEAR = 0.9
SAME_WORDS = 0.07  # questions that are nearer than NEAR by this ask the same, whatever was answered


def group(questions: Vectors, answers: Vectors, named: Sequence[Sequence[str]]) -> Groups:
    """The group of every question, int64[n]; unit vectors are float32[n, d].

    `named` has what each question names of each of some classes, as countries or sizes; empty where
    nothing: two that name different things of a class ask for different things. Groups are those of
    agglomerative clustering by the average likeness: unlike `ml.discovery` it finds single questions,
    not what many questions are about.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(questions) < 2:
        return np.zeros(len(questions), dtype=np.int64)
    asked = questions @ questions.T
    likeness = QUESTION_SHARE * asked + (1 - QUESTION_SHARE) * (answers @ answers.T)
    np.maximum(likeness, asked - SAME_WORDS, out=likeness)
    for words in zip(*named, strict=True):
        likeness[_differ(words)] = -1
    tree = linkage(squareform(1 - likeness, checks=False), "average")
    found: Groups = fcluster(tree, 1 - NEAR, "distance").astype(np.int64)
    return found


def _differ(words: Sequence[str]) -> NDArray[np.bool_]:
    names, codes = np.unique(words, return_inverse=True)
    says = np.asarray(names != "")[codes]
    differ: NDArray[np.bool_] = (codes[:, None] != codes) & says[:, None] & says
    return differ
