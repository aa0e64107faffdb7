"""`python -m ml compress …`: makes a smaller encoder and prints what it costs and brings."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml import background, weights
from ml.compress import distil, figures, folder, int8, prune, vocabulary
from ml.encoder import Encoder, load_model
from ml.errors import DataError
from ml.types import Example

Read = Callable[[Path], list[Example]]


def add(commands: Any, read_examples: Read) -> None:
    """Adds the command to those of `python -m ml`; `read_examples` reads a CSV of text and label."""
    parser = commands.add_parser("compress", help="make the encoder smaller or faster")
    ways = parser.add_subparsers(required=True, metavar="WAY")
    for name, way, words in (
        ("int8", _int8, "weights and arithmetic of eight bits"),
        ("bf16", _bf16, "weights of sixteen bits"),
        ("vocabulary", _vocabulary, "only the word pieces of English and Chinese"),
        ("prune", _prune, "fewer or narrower layers, then taught by the whole encoder"),
        ("distil", _distil, "taught by a larger encoder (--encoder)"),
    ):
        sub = ways.add_parser(name, help=words)
        sub.add_argument("out", type=Path, help="the new folder, for ENCODER")
        sub.add_argument("--train", type=Path, help="CSV to fit the instant model on")
        sub.add_argument("--test", type=Path, help="CSV to take its accuracy on")
        sub.set_defaults(run=_measured(way, read_examples))
        if name in ("prune", "distil"):
            sub.add_argument("--texts", type=Path, required=True, help="messages, one on a line")
            sub.add_argument("--layers", type=int, help="so many layers stay")
            sub.add_argument("--epochs", type=int, default=1)
        if name == "prune":
            sub.add_argument("--width", type=int, help="so wide the feed-forward blocks stay")
        if name == "distil":
            sub.add_argument("--student", help="the encoder to teach; without, the bundled one")


def _measured(way: Callable[..., Path], read_examples: Read) -> Callable[..., None]:
    def run(options: argparse.Namespace, encoder: Encoder) -> None:
        folder.check_free(options.out)
        train = read_examples(options.train) if options.train else []
        test = read_examples(options.test) if options.test else []
        before = way(options, encoder)
        texts = [e.text for e in test or train] or background.sentences()
        rows = []
        for name, source, dtype in (
            ("before, float32", before, "float32"),
            ("before, bfloat16", before, "bfloat16"),
            ("after", options.out, None),
        ):
            rows.append(
                figures.measure(
                    name, source, dtype=dtype, texts=texts, train=train, test=test, progress=_show
                )
            )
        figures.show(rows)

    return run


def _int8(options: argparse.Namespace, _encoder: Encoder) -> Path:
    source = _source(options)
    int8.save(source, options.out)
    return source


def _bf16(options: argparse.Namespace, _encoder: Encoder) -> Path:
    source = _source(options)
    folder.save(load_model(source, "bfloat16"), source, options.out)
    return source


def _vocabulary(options: argparse.Namespace, _encoder: Encoder) -> Path:
    source = _source(options)
    vocabulary.prune(source, options.out)
    return source


def _prune(options: argparse.Namespace, encoder: Encoder) -> Path:
    source, texts = _source(options), _texts(options.texts)
    if options.layers is None and options.width is None:
        raise DataError("say what to prune: --layers, --width or both")
    model = load_model(source, "float32")
    if options.layers is not None:
        prune.drop_layers(model, options.layers)
    if options.width is not None:
        prune.narrow(model, options.width)
    distil.teach(model, source, encoder, texts, epochs=options.epochs, progress=_show)
    folder.save(model, source, options.out)
    return source


def _distil(options: argparse.Namespace, encoder: Encoder) -> Path:
    student = weights.locate(options.student, cache=options.cache)
    texts, layers = _texts(options.texts), options.layers
    distil.distil(
        encoder, student, options.out, texts, layers=layers, epochs=options.epochs, progress=_show
    )
    return _source(options)


def _source(options: argparse.Namespace) -> Path:
    return weights.locate(options.encoder, cache=options.cache)


def _texts(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _show(share: float, message: str) -> None:
    sys.stderr.write(f"{share:4.0%} {message}\n")
