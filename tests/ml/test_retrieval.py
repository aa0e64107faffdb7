"""Passages found by meaning and by words, and what no passage answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.background import sentences
from ml.encoder import Encoder
from ml.lexical import LexicalIndex
from ml.retrieval import Passages, Question, Retriever, read
from ml.sentences import split

TEXTS = {
    "returns": "You can send an order back within 30 days.",
    "batteries": "The lamp XR-2200 takes three AAA batteries.",
    "charger": "The lamp XR-2300 comes with a charger.",
    "invoice": "发票会在发货后发送到您的邮箱。",
    "colours": "这款沙发有灰色和蓝色两种颜色。",
}


def strangers(encoder: Encoder) -> list[Question]:
    """Talk about other things."""
    return list(map(Question, sentences(), encoder.encode(sentences())))


@pytest.fixture(scope="module")
def ask(encoder: Encoder):
    others = strangers(encoder)
    texts = list(TEXTS.values())
    passages = Passages(list(TEXTS), texts, encoder.encode(texts, kind="passage"))
    retriever = Retriever(passages, others)

    def found(text: str, k: int = 3, *, among: list[int] | None = None):
        rows = None if among is None else np.asarray(among)
        return retriever.search(Question(text, encoder.encode([text])[0]), k, among=rows)

    return found


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("How many days do I have to return an order?", "returns"),
        ("XR-2300?", "charger"),
        ("XR-2200?", "batteries"),
        ("什么时候能收到发票", "invoice"),
        ("沙发有什么颜色", "colours"),
    ],
)
def test_a_question_finds_its_passage_in_either_language(ask, question: str, passage: str) -> None:
    best = ask(question)[0]
    assert best.id == passage
    assert best.relevant
    assert 0 < best.certainty < 1


def test_emoji_find_the_passage_that_was_taught_for_them_and_no_other(encoder: Encoder) -> None:
    texts = ["🐶\nDogs are welcome on a lead.", "👍\nThank you!", "👌\nSee you soon!"]
    passages = Passages(["dog", "up", "fine"], texts, encoder.encode(texts, kind="passage"))
    retriever = Retriever(passages, strangers(encoder))

    def found(text: str) -> list[str]:
        question = Question(text, encoder.encode([text])[0])
        return [hit.id for hit in retriever.search(question, 3) if hit.relevant]

    assert [found(text) for text in ("🐶", " 👍 ", "👌", "👍👌", "?")] == [
        ["dog"],
        ["up"],
        ["fine"],
        [],
        [],
    ]


def test_a_question_finds_its_passage_in_the_other_language(ask) -> None:
    assert ask("Which colours does the sofa come in?")[0].id == "colours"
    assert ask("我可以退货吗？多少天之内")[0].id == "returns"


@pytest.mark.parametrize(
    "text", ["Who won the match last night?", "今天天气真好", "1", "?!", "😀", "🎉🎉🎉"]
)
def test_talk_about_other_things_finds_nothing_relevant(ask, text: str) -> None:
    assert not any(hit.relevant for hit in ask(text))


def test_one_sentence_tells_that_a_long_passage_answers(encoder: Encoder) -> None:
    answer = (
        "The workshop is behind the market hall. Brakes are set while you wait. Bring the key of your lock. "
        "Parking in the yard is free. A puncture costs nine euros. The coffee is good."
        " The dog is friendly."
    )
    other = (
        "Our newsletter comes on the first of each month. It tells of new books and of readings."
    )
    answers = [answer, other]
    spans = [split(text) for text in answers]
    vectors, parts = read(["", ""], answers, spans, encoder)
    whole = Retriever(Passages(["bike", "news"], answers, vectors), strangers(encoder))
    by_parts = Retriever(Passages(["bike", "news"], answers, vectors, parts), strangers(encoder))

    def best(retriever: Retriever, text: str):
        return retriever.search(Question(text, encoder.encode([text])[0]), 1)[0]

    mended = "How much is it to mend a puncture?"
    assert best(by_parts, mended).id == best(whole, mended).id == "bike"
    assert best(by_parts, mended).certainty > best(whole, mended).certainty
    assert not best(by_parts, "Do you play the trumpet?").relevant


def test_only_some_rows_are_looked_at(ask) -> None:
    assert [hit.id for hit in ask("XR-2300?", among=[0, 1])] == ["batteries", "returns"]
    assert ask("XR-2300?", among=[]) == []


def test_no_passages_answer_nothing(encoder: Encoder) -> None:
    nothing = Passages([], [], np.zeros((0, encoder.dimension), np.float32))
    question = Question("hello", encoder.encode(["hello"])[0])
    assert Retriever(nothing, strangers(encoder)).search(question, 3) == []


def test_what_is_near_to_every_question_goes_behind_what_is_near_to_this_one() -> None:
    """Both are as near to the question; one of them also to what customers ask otherwise."""
    axes = np.eye(8, dtype=np.float32)
    names = ["near to all", "near to this", "other"]
    vectors = axes[:3]
    others = [Question(text, axes[7]) for text in sentences()]
    retriever = Retriever(Passages(names, names, vectors), others)
    question = Question("?", (axes[0] + axes[1]) / np.sqrt(np.float32(2)))

    def first(asked: list[int]) -> str:
        crowding = retriever.crowding(axes[asked])
        return retriever.search(question, 3, crowding=crowding)[0].id

    assert first([0] * 40) == "near to this"
    assert first([1] * 40) == "near to all"
    assert not retriever.crowding(axes[[0] * 5]).any()  # too few to say


def test_words_count_by_how_rare_they_are() -> None:
    index = LexicalIndex.build(["the red lamp", "the blue lamp", "the sofa", "沙发的颜色"])
    blue, colour = index.scores("the blue one"), index.scores("颜色")
    assert blue.scores.argmax() == 1
    assert blue.scores[1] > 2 * blue.scores[0]
    assert 0 < blue.shares.max() < 1
    assert colour.scores.argmax() == 3
    assert index.scores("沙发").scores.argmax() == 3
    assert not index.scores("?!").shares.any()
    assert not LexicalIndex.build(["", "..."]).scores("lamp").shares.any()


WORDS = st.lists(st.text("ab 灯光", max_size=8), max_size=6)


@given(first=WORDS, then=WORDS, question=st.text("abc 灯光", max_size=8))
def test_an_index_made_out_of_an_earlier_one_is_the_same(
    first: list[str], then: list[str], question: str
) -> None:
    grown = LexicalIndex.build(then, before=LexicalIndex.build(first)).scores(question)
    anew = LexicalIndex.build(then).scores(question)
    np.testing.assert_array_equal(grown.scores, anew.scores)
    assert grown.most == anew.most
