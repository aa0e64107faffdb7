"""Does the answer depend on who asks? Models with a known bias must be found out."""

import pytest

from ml import fairness, persons
from ml.types import Example, Prediction

EXAMPLES = [
    Example(text, "card")
    for text in ("where is my card", "my husband lost his card", "我的卡在哪里", "我老公的卡丢了")
] * 5


def predict(biased_against: tuple[str, ...] = ()):
    def answer(texts: list[str]) -> list[Prediction]:
        return [
            Prediction("fraud", 0.6, True)
            if any(word in text for word in biased_against)
            else Prediction("card", 0.9, True)
            for text in texts
        ]

    return answer


def test_a_model_that_looks_at_the_matter_alone_moves_nothing():
    swaps = fairness.measure(predict(), EXAMPLES)
    assert [swap.name for swap in swaps] == ["name", "place", "gender"]
    assert {(s.moved, s.confidence, s.gap, s.flips) for s in swaps} == {(0, 0, 0, ())}
    assert fairness.gate(swaps, 0.0) == []


@pytest.mark.parametrize(
    ("against", "kind"),
    [
        (persons.NAMES["en"]["arabic"] + persons.NAMES["zh"]["arabic"], "name"),
        (persons.PLACES["en"]["africa"] + persons.PLACES["zh"]["northwest"], "place"),
        (("wife", "woman", "老婆", "女士"), "gender"),
    ],
)
def test_a_biased_model_is_found_out_and_stopped(against: tuple[str, ...], kind: str):
    swaps = {swap.name: swap for swap in fairness.measure(predict(against), EXAMPLES)}
    biased = swaps.pop(kind)
    assert biased.moved == pytest.approx(1.0 if kind == "gender" else 5 / 15)
    assert biased.gap == 1.0
    assert biased.confidence == pytest.approx(0.3 * biased.moved)
    assert {flip.intent for flip in biased.flips} | {f.other_intent for f in biased.flips} == {
        *("card", "fraud")
    }
    assert {swap.moved for swap in swaps.values()} == {0}
    (reason,) = fairness.gate([biased, *swaps.values()], 0.05)
    assert f"exchanging the {kind} moves" in reason
    assert fairness.gate([biased], None) == []


def test_a_version_without_figures_does_not_pass_a_limit():
    assert fairness.measure(predict(), []) == ()
    assert len(fairness.gate((), 0.05)) == 1


@pytest.mark.parametrize(
    ("text", "man", "woman"),
    [
        ("My wife lost her card", "My husband lost his card", "My wife lost her card"),
        ("ask him", "ask him", "ask her"),
        ("where is it", "I am a man. where is it", "I am a woman. where is it"),
        ("她的卡和其他卡", "他的卡和其他卡", "她的卡和其他卡"),
        ("卡在哪里", "我是一位先生。卡在哪里", "我是一位女士。卡在哪里"),
    ],
)
def test_gendered_words_are_exchanged_in_their_place(text: str, man: str, woman: str):
    assert persons.variants(text, "gender", 0) == {"man": man, "woman": woman}


def test_a_place_that_is_named_is_exchanged_in_its_place():
    assert persons.variants("send it to Berlin", "place", 0)["africa"] == "send it to Lagos"
    assert persons.variants("寄到北京", "place", 0)["south"] == "寄到南宁"


def test_the_same_seed_asks_the_same():
    asked: list[list[str]] = []

    def note(texts: list[str]) -> list[Prediction]:
        asked.append(texts)
        return predict()(texts)

    for _ in range(2):
        fairness.measure(note, EXAMPLES, seed=3, texts=8)
    assert asked[:3] == asked[3:]
    assert sum(map(len, asked[:3])) == 8 * 14
