"""What is left of a model's accuracy when customers write otherwise than the examples do."""

import random
import re
from collections.abc import Callable, Sequence

from ml import augment
from ml.report import Disturbance
from ml.types import Example, Prediction, Progress

Predict = Callable[[list[str]], list[Prediction]]

TEXTS = 200
ATTACKED = 50  # texts of those that are given word swaps, the dearest of the disturbances
UNITS = 16  # words of a text, or Chinese characters, that are tried for their weight
SWAPS = 2  # words exchanged in a text at most
TRIES = 5  # of each

WORD = re.compile(r"[A-Za-z]{3,}|[\u4e00-\u9fff]")

# Words that customers take for each other; every line says about the same.
ALIKE = (
    "want need wish|buy purchase order|get receive obtain|help assist support|change alter modify"
    "|cancel stop end|send ship deliver|money cash funds|fee charge cost|price cost rate"
    "|show tell give|find locate see|wrong incorrect false|broken damaged faulty|fast quick soon"
    "|problem issue trouble|begin start open|account profile login|still yet currently"
    "|payment transaction transfer|why how|when what|card plastic|return refund"
    "|要 想|买 购|改 换|退 还|钱 款|查 看|给 送|开 启|关 停|快 速|坏 损|错 误|问 询|卡 券|收 取|找 寻"
)


def measure(
    predict: Predict,
    examples: Sequence[Example],
    *,
    seed: int = 0,
    texts: int = TEXTS,
    paraphrase: Callable[[str, int], list[str]] | None = None,
    progress: Progress | None = None,
) -> tuple[Disturbance, ...]:
    """The accuracy on held-out examples as they are and as they might also have been written.

    "typos" and "homophones" (`ml.augment`) on the texts that have a place for one, "word_swaps",
    and "paraphrase" where somebody is there to say it in other words. At most `texts` examples are
    drawn, the same for the same seed; a disturbance that changes no text is absent. `predict` is
    asked about some 1 500 to 3 000 messages.
    """
    rng = random.Random(seed)  # noqa: S311 - repeatable, no secret
    chosen = rng.sample(list(examples), min(texts, len(examples)))
    ways: dict[str, Callable[[list[Example]], list[tuple[Example, str]]]] = {
        "typos": lambda rows: _changed(rows, lambda text: augment.typos(text, rng)),
        "homophones": lambda rows: _changed(rows, lambda text: augment.homophones(text, rng)),
        "word_swaps": lambda rows: _attack(predict, rows[:ATTACKED], rng),
    }
    if paraphrase is not None:
        say = paraphrase
        ways["paraphrase"] = lambda rows: _changed(
            rows, lambda text: next(iter(say(text, 1)), text)
        )
    found = []
    for number, (name, way) in enumerate(ways.items()):
        pairs = way(chosen)
        if pairs:
            found.append(_disturbance(predict, name, pairs))
        if progress:
            progress((number + 1) / len(ways), f"disturbed by {name}")
    return tuple(found)


def _changed(rows: list[Example], change: Callable[[str], str]) -> list[tuple[Example, str]]:
    pairs = [(example, change(example.text)) for example in rows]
    return [(example, text) for example, text in pairs if text != example.text]


def _disturbance(predict: Predict, name: str, pairs: list[tuple[Example, str]]) -> Disturbance:
    labels = [example.label for example, _ in pairs]
    before = _accuracy(predict([example.text for example, _ in pairs]), labels)
    after = _accuracy(predict([text for _, text in pairs]), labels)
    return Disturbance(name, len(pairs), before, after)


def _accuracy(predictions: list[Prediction], labels: list[str]) -> float:
    hits = [p.label == label for p, label in zip(predictions, labels, strict=True)]
    return sum(hits) / len(hits)


def _attack(predict: Predict, rows: list[Example], rng: random.Random) -> list[tuple[Example, str]]:
    """Each text with the few words exchanged that hurt the model most, found by asking it alone.

    After TextFooler (Jin et al. 2020, arXiv:1907.11932): a word weighs what its deletion takes from
    the probability of the true intent; the weightiest are exchanged greedily for a word of like
    meaning or a mistyped one. At most `UNITS + SWAPS * TRIES` questions for a text.
    """
    if not rows:
        return []
    texts = [example.text for example in rows]
    order = _by_weight(predict, rows)
    kept = _trust(predict(texts), rows)
    for step in range(SWAPS):
        tried = [
            (row, text)
            for row, example in enumerate(rows)
            if step < len(order[row])
            for text in _exchanged(texts[row], order[row][step], rng)
        ]
        answers = predict([text for _, text in tried]) if tried else []
        trusts = _trust(answers, [rows[row] for row, _ in tried])
        for (row, text), trust in zip(tried, trusts, strict=True):
            if trust < kept[row]:
                kept[row], texts[row] = trust, text
    return [(example, text) for example, text in zip(rows, texts, strict=True)]


def _by_weight(predict: Predict, rows: list[Example]) -> list[list[str]]:
    """The words of each text, the weightiest first."""
    tried = []
    for row, example in enumerate(rows):
        for word in list(WORD.finditer(example.text))[:UNITS]:
            left = example.text[: word.start()] + example.text[word.end() :]
            tried.append((row, word.group(), left))
    answers = predict([left for _, _, left in tried]) if tried else []
    trusts = _trust(answers, [rows[row] for row, _, _ in tried])
    found: list[dict[str, float]] = [{} for _ in rows]
    for (row, word_, _), trust in zip(tried, trusts, strict=True):
        found[row][word_] = min(trust, found[row].get(word_, 1.0))
    return [sorted(words, key=words.__getitem__) for words in found]


def _exchanged(text: str, word: str, rng: random.Random) -> list[str]:
    """The text with other words in place of one."""
    others = [
        other
        for line in ALIKE.split("|")
        if word.lower() in line.split()
        for other in line.split()
        if other != word.lower()
    ]
    mistype = augment.homophones if len(word) == 1 else augment.typos
    others += [mistype(word, rng) for _ in range(TRIES)]
    there = re.compile(re.escape(word) if len(word) == 1 else rf"\b{re.escape(word)}\b")
    place = there.search(text)
    if place is None:
        return []
    before, after = text[: place.start()], text[place.end() :]
    changed = [before + other + after for other in dict.fromkeys(others)]
    return [other for other in changed if other != text][:TRIES]


def _trust(predictions: Sequence[Prediction], rows: Sequence[Example]) -> list[float]:
    """The probability of the true intent, less than nothing where another one is likelier.

    Below zero a text is already lost, and further swaps are spent on making it more so.
    """
    found = []
    for prediction, example in zip(predictions, rows, strict=True):
        if prediction.label == example.label:
            found.append(prediction.confidence)
        else:
            found.append(-prediction.confidence)
    return found
