"""What disturbances leave of the accuracy of models whose weakness is known."""

from ml import robust
from ml.types import Example, Prediction

EXAMPLES = [Example("please return my parcel today", "refund")] * 4 + [
    Example("请帮我退款谢谢", "refund")
] * 4


def by_words(*words: str):
    """A model that knows an intent by whole words, and is the surer the more it finds."""

    def answer(texts: list[str]) -> list[Prediction]:
        found = [sum(word in text for word in words) for text in texts]
        return [Prediction("refund" if n else "other", 0.5 + 0.1 * n, True) for n in found]

    return answer


def named(found):
    return {disturbance.name: disturbance for disturbance in found}


def test_a_model_that_does_not_read_loses_nothing():
    found = named(robust.measure(by_words(""), EXAMPLES))
    assert set(found) == {"typos", "homophones", "word_swaps"}
    assert {(d.before, d.after) for d in found.values()} == {(1.0, 1.0)}
    assert (found["typos"].texts, found["homophones"].texts) == (4, 4)


def test_word_swaps_find_the_word_that_a_model_hangs_on():
    found = named(robust.measure(by_words("return", "退款"), EXAMPLES))["word_swaps"]
    assert (found.texts, found.before, found.after) == (8, 1.0, 0.0)


def test_paraphrases_are_asked_for_where_there_is_somebody():
    asked = []

    def say(text: str, count: int) -> list[str]:
        asked.append((text, count))
        return [f"in other words: {len(text)}"]

    found = named(robust.measure(by_words("return", "退款"), EXAMPLES, paraphrase=say))
    assert (found["paraphrase"].before, found["paraphrase"].after) == (1.0, 0.0)
    assert len(asked) == 8


def test_paraphrases_that_nobody_has_are_absent():
    found = named(robust.measure(by_words(""), EXAMPLES, paraphrase=lambda _text, _count: []))
    assert "paraphrase" not in found


def test_the_questions_are_bounded_and_repeatable():
    asked: list[list[str]] = []

    def note(texts: list[str]) -> list[Prediction]:
        asked.append(texts)
        return by_words("return")(texts)

    many = [Example("please return my parcel today " * 9, "refund")] * 300
    one, two = (robust.measure(note, many, seed=1) for _ in range(2))
    assert one == two
    assert asked[: len(asked) // 2] == asked[len(asked) // 2 :]
    assert sum(map(len, asked)) / 2 < 3000


def test_without_examples_there_are_no_figures():
    assert robust.measure(by_words(""), []) == ()
