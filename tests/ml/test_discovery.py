"""Intents proposed from texts without labels, what is worth a label, and labels that look wrong."""

import numpy as np
import pytest

from ml import agreement, discovery, labelnoise, selection
from ml.errors import DataError


def bunches(count: int, each: int, *, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Unit vectors around so many directions, and the name of each one's direction."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(count, 32))
    vectors = np.repeat(centres, each, axis=0) + 0.3 * rng.normal(size=(count * each, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), [str(n) for n in np.repeat(np.arange(count), each)]


def test_bunches_are_found_without_being_counted():
    vectors, labels = bunches(6, 25)
    groups = discovery.group(vectors)
    assert discovery.clusters_ari(groups, labels) > 0.9
    assert discovery.clusters_found(groups, labels) == 1.0


def test_measures_of_groups_tell_good_from_bad():
    labels = ["a"] * 5 + ["b"] * 5
    assert discovery.clusters_ari(np.repeat([0, 1], 5), labels) == 1.0
    assert discovery.clusters_found(np.zeros(10, dtype=int), labels) <= 0.5
    assert discovery.clusters_found(np.full(10, -1), labels) == 0.0


def test_a_proposal_has_a_name_and_examples_from_its_texts():
    vectors, labels = bunches(3, 12)
    words = {"0": "parcel delivery", "1": "refund money", "2": "退款 到账"}
    texts = [f"{words[label]} {place}" for place, label in enumerate(labels)]
    found = discovery.discover(texts, vectors)
    assert len(found) == 3
    for proposal in found:
        assert proposal.name
        own = {labels[row] for row in proposal.members}
        assert len(own) == 1


@pytest.mark.parametrize("texts", [[], ["one"], ["same"] * 9, ["😀", "😀 😀"]])
def test_too_little_makes_no_proposal(texts):
    vectors = np.eye(max(1, len(texts)), 8, dtype=np.float32)[: len(texts)]
    assert discovery.discover(texts, vectors) == []


def test_texts_and_vectors_must_fit():
    with pytest.raises(DataError):
        discovery.discover(["a", "b"], np.zeros((3, 4), dtype=np.float32))


def test_doubtful_and_different_texts_are_worth_a_label():
    vectors, labels = bunches(4, 10)
    doubt = np.where(np.asarray(labels) == "3", 0.01, 1.0)
    chosen = selection.choose(vectors, doubt, 3)
    assert {labels[row] for row in chosen} == {"0", "1", "2"}
    chances = np.array([[0.5, 0.5], [0.99, 0.01]])
    assert selection.margin(chances).round(2).tolist() == [1.0, 0.02]


def test_a_wrong_label_among_many_right_ones_is_found():
    vectors, labels = bunches(4, 15)
    labels[3] = "2"
    (doubt, *_) = labelnoise.errors(vectors, labels)
    assert (doubt.place, doubt.suggested) == (3, "0")


def test_twins_are_found_and_strangers_are_not():
    vectors, _ = bunches(3, 1)
    found = labelnoise.twins(np.concatenate([vectors, vectors[:1]]))
    assert [(twin.place, twin.other) for twin in found] == [(3, 0)]


def test_agreement_of_annotators():
    assert agreement.alpha([["a", "a"], ["b", "b"], ["a", "a"]]) == 1.0
    assert agreement.alpha([["a", "b"], ["b", "a"]]) < 0
    assert agreement.alpha([["a"], []]) is None
