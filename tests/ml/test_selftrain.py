import numpy as np

from ml import selftrain


def told(classes) -> list[str]:
    """Texts that say nothing of their class by their spelling."""
    return ["where is it", "退款"] * (len(classes) // 2) + ["hello"] * (len(classes) % 2)


def spots(count: int, each: int, *, width: int = 24, noise: float = 0.5, seed: int = 0):
    """Vectors of length one around one direction for each class, with their classes."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(np.random.default_rng(99).normal(size=(width, width)))[0][:count]
    classes = np.repeat(np.arange(count), each)
    vectors = centres[classes] + noise * rng.normal(size=(len(classes), width)) / np.sqrt(width) * 2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), classes


def test_messages_without_a_label_tell_more_than_two_examples_do() -> None:
    vectors, classes = spots(8, 2, noise=0.8, seed=1)
    messages, truth = spots(8, 100, noise=0.8, seed=2)
    nearest = (
        messages @ np.stack([vectors[classes == c].mean(axis=0) for c in range(8)]).T
    ).argmax(axis=1)
    chances = selftrain.guess(
        vectors, classes, messages, texts=told([*classes, *messages]), count=8
    )
    assert (chances.argmax(axis=1) == truth).mean() > (nearest == truth).mean() + 0.03


def test_chances_are_chances_and_the_same_each_time() -> None:
    vectors, classes = spots(4, 3)
    messages, _ = spots(4, 20, seed=3)
    chances = selftrain.guess(
        vectors, classes, messages, texts=told([*classes, *messages]), count=4
    )
    assert chances.shape == (80, 4)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances >= 0).all()
    assert np.array_equal(
        chances,
        selftrain.guess(vectors, classes, messages, texts=told([*classes, *messages]), count=4),
    )


def test_a_frequent_intent_does_not_swallow_the_others() -> None:
    vectors, classes = spots(6, 1, noise=0.7, seed=4)
    messages, truth = spots(6, 60, noise=0.7, seed=5)
    chances = selftrain.guess(
        vectors, classes, messages, texts=told([*classes, *messages]), count=6
    )
    found = np.bincount(chances.argmax(axis=1), minlength=6)
    assert found.min() > 20
    assert found.max() < 140
    assert len(truth) == found.sum()


def test_the_spelling_helps_where_the_vectors_say_little() -> None:
    words = ["refund my shoes", "track a parcel", "reset password", "退款到账", "几点开门"]
    vectors, classes = spots(5, 2, noise=1.5, seed=6)
    messages, truth = spots(5, 40, noise=1.5, seed=7)
    silent = told([*classes, *truth])
    spelled = [f"{words[c]} {n % 7}" for n, c in enumerate([*classes, *truth])]
    right = [
        (
            selftrain.guess(vectors, classes, messages, texts=texts, count=5).argmax(1) == truth
        ).mean()
        for texts in (silent, spelled)
    ]
    assert right[1] > right[0] + 0.1


def test_one_message_is_enough() -> None:
    vectors, classes = spots(3, 2)
    assert (
        selftrain.guess(vectors, classes, vectors[:1], texts=told([*classes, 0]), count=3).argmax()
        == 0
    )
