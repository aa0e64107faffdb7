import random
import time

import pytest

from ml import augment
from ml.types import Example

ENGLISH = "When will the money for order 4711 arrive, see https://shop.example/help?order=late 🙂"
CHINESE = "我的订单什么时候到账？"


def test_a_typo_changes_one_word_in_a_short_text() -> None:
    for seed in range(50):
        made = augment.typos("please return my parcel", random.Random(seed)).split()
        old = ["please", "return", "my", "parcel"]
        changed = [(was, now) for was, now in zip(old, made, strict=True) if was != now]
        assert len(changed) <= 1
        for was, now in changed:
            assert abs(len(was) - len(now)) <= 1
            assert (was[0], was[-1]) == (now[0], now[-1])


def test_all_kinds_of_typos_come_up() -> None:
    made = {augment.typos("track", random.Random(seed)) for seed in range(200)}
    assert {"tack", "trrack", "tarck"} <= made  # left out, doubled, swapped
    assert made & {"teack", "tfack", "tdack", "t4ack", "ttack"}  # the key beside it


@pytest.mark.parametrize(
    "text", ["", " ", "4711", "a@shop.example", "www.shop.example/order?late=yes", "iPhone15", "no"]
)
def test_what_says_something_exact_stays(text) -> None:
    assert {augment.typos(text, random.Random(seed)) for seed in range(20)} == {text}


def test_addresses_numbers_and_emoji_in_a_message_stay() -> None:
    for seed in range(50):
        made = augment.typos(ENGLISH, random.Random(seed))
        assert "order 4711" in made or "4711" in made.split()
        assert made.split()[-2:] == ["https://shop.example/help?order=late", "🙂"]


def test_a_chinese_character_becomes_one_of_its_sound_or_shape() -> None:
    from pypinyin import lazy_pinyin

    seen = set()
    for seed in range(80):
        made = augment.homophones(CHINESE, random.Random(seed))
        assert len(made) == len(CHINESE)
        changed = [(a, b) for a, b in zip(CHINESE, made, strict=True) if a != b]
        assert len(changed) == 1
        ((old, new),) = changed
        alike = any(old in group and new in group for group in augment.ALIKE.split())
        assert lazy_pinyin(old) == lazy_pinyin(new) or alike
        seen.add((old, new))
    assert ("账", "帐") in seen
    assert len(seen) > 20


@pytest.mark.parametrize("text", ["", "hello", "123 🙂", "？！"])
def test_texts_without_chinese_have_no_homophones(text) -> None:
    assert augment.homophones(text, random.Random(0)) == text


def test_only_what_is_new_is_added_and_the_seed_decides() -> None:
    examples = [Example(ENGLISH, "money"), Example(CHINESE, "money"), Example("4711", "number")]
    made = augment.extend(examples, ["typos", "homophones"], seed=1)
    assert made == augment.extend(examples, ["typos", "homophones"], seed=1)
    assert made != augment.extend(examples, ["typos", "homophones"], seed=2)
    assert [example.label for example in made] == ["money", "money"]
    assert not {example.text for example in made} & {example.text for example in examples}


def test_paraphrases_come_from_whoever_is_asked() -> None:
    asked = []

    def paraphrase(text: str, count: int) -> list[str]:
        asked.append((text, count))
        return [f"{text}, please", text]

    examples = [Example(f"refund {number}", "refund") for number in range(600)]
    made = augment.extend(examples, ["paraphrase"], paraphrase=paraphrase)
    assert len(asked) == len(made) == 500
    assert set(made) <= {Example(f"{e.text}, please", "refund") for e in examples}
    assert augment.extend(examples, ["paraphrase"]) == []


def test_a_text_of_a_hundred_thousand_characters_takes_no_time() -> None:
    start = time.process_time()
    for text in ("refund " * 15_000, "refund" * 17_000, "退款" * 50_000, "." * 100_000):
        assert len(augment.typos(text, random.Random(0))) >= len(text) * 0.9
        assert len(augment.homophones(text, random.Random(0))) == len(text)
    assert time.process_time() - start < 5


def test_a_text_in_both_languages_is_mistyped_in_both() -> None:
    text = "Where is my parcel? 我的快递到哪了"
    wrong = augment.mistype(text, ["typos", "homophones"], random.Random(1))
    english, chinese = (part.split("? ") for part in (text, wrong))
    assert all(one != other for one, other in zip(english, chinese, strict=True))
    assert augment.mistype(text, [], random.Random(1)) == text
