"""What a training teaches: the examples, what is made out of them, and what is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml import augment, selftrain
from ml.config import Config
from ml.course import Lesson
from ml.head import Rows
from ml.lora import Trainee
from ml.types import Example

Paraphrase = Callable[[str, int], list[str]]
WORDS = re.compile(r"[\W_]+")
TRUSTED = 0.5  # of a guessed label, beside 1 of a given one


@dataclass(frozen=True, slots=True)
class Sources:
    """What a run may learn from besides labelled examples (see `ml.finetune.tune`)."""

    unlabelled: Sequence[str] = ()
    passages: Sequence[tuple[str, str]] = ()
    background: Sequence[str] = ()
    paraphrase: Paraphrase | None = None


def teach(
    trainee: Trainee,
    texts: list[str],
    classes: Rows,
    names: list[str],
    sources: Sources,
    config: Config,
) -> Lesson:
    """The lesson of some examples, with what the configuration's switches add.

    Few examples are joined by the intents' own names, which say what an intent is about.
    """
    examples = [Example(t, names[c]) for t, c in zip(texts, classes.tolist(), strict=True)]
    if config.names:
        examples += [Example(WORDS.sub(" ", name).strip() or name, name) for name in names]
    wanted = copies(config)
    if wanted:
        examples += augment.extend(
            examples, wanted, seed=config.seed, paraphrase=sources.paraphrase
        )
    places = {name: number for number, name in enumerate(names)}
    numbers = np.asarray([places[example.label] for example in examples], dtype=np.intp)
    taught = [example.text for example in examples]
    tokens = trainee.tokenize(taught)
    weights = np.ones(len(tokens), dtype=np.float32)
    if config.self_training != "on" or not sources.unlabelled:
        return Lesson(taught, tokens, numbers, weights, trainee.encode_tokens(tokens))
    rng = np.random.default_rng(config.seed)
    unique = list(dict.fromkeys(sources.unlabelled))
    messages = [unique[row] for row in rng.permutation(len(unique))[: config.guessed]]
    rest = trainee.tokenize(messages)
    vectors = trainee.encode_tokens(tokens + rest)
    chances = selftrain.guess(
        vectors[: len(tokens)],
        numbers,
        vectors[len(tokens) :],
        texts=taught + messages,
        count=len(names),
    )
    return Lesson(
        taught + messages,
        tokens + rest,
        np.concatenate([numbers, chances.argmax(axis=1)]),
        np.concatenate([weights, np.full(len(rest), TRUSTED, dtype=np.float32)]),
        vectors,
        chances.astype(np.float32),
    )


def errors(config: Config) -> list[augment.Kind]:
    """The kinds of typing errors that are switched on."""
    kinds: tuple[augment.Kind, ...] = ("typos", "homophones")
    return [kind for kind in kinds if getattr(config, kind) == "on"]


def copies(config: Config) -> list[augment.Kind]:
    """What further examples are made of; with consistency errors are in each second reading."""
    made = [] if config.consistency == "on" else errors(config)
    return [*made, "paraphrase"] if config.paraphrase == "on" else made
