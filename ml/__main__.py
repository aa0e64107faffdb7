"""The models without Django: `python -m ml train intent FILE.csv OUT`, and so on."""

import argparse
import csv
import json
import os
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ml import background, metrics, shapes, weights
from ml.compress import commands as compress
from ml.encoder import Encoder
from ml.errors import DataError, ModelError
from ml.intent import IntentModel
from ml.types import Example
from ml.wording import Wording

LABELS = ("label", "intent", "category")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.run is _tune:
        shapes.keep_few()
    try:
        encoder = Encoder.load(weights.locate(options.encoder, cache=options.cache))
        options.run(options, encoder)
    except (ModelError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml", description=__doc__)
    parser.add_argument("--encoder", help="a hub name or a model folder; the bundled one without")
    parser.add_argument("--cache", type=Path, default=Path("var/encoders"), help="for encoders")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    train = commands.add_parser("train", help="train a model on a CSV of text and label")
    train.add_argument("kind", choices=["intent", "wording"])
    train.add_argument("file", type=Path)
    train.add_argument("out", type=Path)
    train.set_defaults(run=_train)
    tune = commands.add_parser("tune", help="train the encoder too; takes minutes, not seconds")
    tune.add_argument("kind", choices=["intent"])
    tune.add_argument("file", type=Path)
    tune.add_argument("out", type=Path)
    tune.add_argument("--config", type=Path, help="JSON with settings of ml.config.Config")
    tune.add_argument("--unlabelled", type=Path, help="messages without a label, one on a line")
    tune.set_defaults(run=_tune)
    evaluate = commands.add_parser("eval", help="measure a model on a CSV of text and label")
    evaluate.add_argument("model", type=Path)
    evaluate.add_argument("file", type=Path)
    evaluate.set_defaults(run=_evaluate)
    encode = commands.add_parser("encode", help="write the vectors of a text file's lines as .npy")
    encode.add_argument("file", type=Path)
    encode.add_argument("out", type=Path)
    encode.add_argument("--kind", choices=["query", "passage"], default="query")
    encode.set_defaults(run=_encode)
    compress.add(commands, read_examples)
    return parser


def read_examples(file: Path) -> list[Example]:
    """The rows of a UTF-8 CSV with the columns text and label (or intent, or category).

    Raises `DataError` that names the file, and the line where there is one.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            label = next((name for name in LABELS if name in (rows.fieldnames or ())), None)
            if label is None or "text" not in (rows.fieldnames or ()):
                raise DataError(f"{file} needs the columns text and label in its first line")
            examples = [
                Example((row["text"] or "").strip(), (row[label] or "").strip()) for row in rows
            ]
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 (at byte {error.start}); save it as UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{file} cannot be read as CSV: {error}") from error
    for number, example in enumerate(examples, start=1):
        if not example.text or not example.label:
            raise DataError(f"{file}, row {number}: text and label must not be empty")
    return examples


def _train(options: argparse.Namespace, encoder: Encoder) -> None:
    examples = read_examples(options.file)
    if options.kind == "wording":
        worded = Wording.fit(examples)
        worded.save(options.out)
        _print(worded.metrics)
        return
    texts = [e.text for e in examples]
    vectors = encoder.encode(texts, progress=_show)
    model = IntentModel.fit(vectors, [e.label for e in examples], texts=texts, progress=_show)
    model.save(options.out)
    _print(model.metrics)


def _tune(options: argparse.Namespace, encoder: Encoder) -> None:
    from ml.finetune import Config, tune

    examples = read_examples(options.file)
    changes = _settings(options.config) if options.config else {}
    unlabelled = _lines(options.unlabelled) if options.unlabelled else []
    suited = Config.suited(len(examples), unlabelled=len(unlabelled))
    config = Config.from_json(suited.to_json() | changes)
    checkpoint = options.out.with_name(f"{options.out.name}.checkpoint")
    model = tune(
        encoder,
        weights.locate(options.encoder, cache=options.cache),
        examples,
        unlabelled=unlabelled,
        background=background.sentences(),
        config=config,
        checkpoint=checkpoint,
        progress=_show,
    )
    if os.environ.get("RANK", "0") != "0":
        return  # of several processes that train one model the first one keeps it
    model.save(options.out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    for note in model.report["notes"]:
        sys.stderr.write(f"{note}\n")
    _print(model.metrics)


def _settings(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{file} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{file} must hold a JSON object of settings")
    return found


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _evaluate(options: argparse.Namespace, encoder: Encoder) -> None:
    model = IntentModel.load(options.model)
    examples = read_examples(options.file)
    if not examples:
        raise DataError(f"{options.file} has no rows")
    model.space(encoder.fingerprint)  # raises where it is not this encoder's
    texts = [e.text for e in examples]
    vectors = model.read(texts, partial(encoder.encode, progress=_show))
    predictions = model.predict(vectors, texts)
    truth, guesses = [e.label for e in examples], [p.label or "" for p in predictions]
    _print(
        {
            "examples": float(len(examples)),
            "accuracy": metrics.accuracy(truth, guesses),
            "macro_f1": metrics.macro_f1(truth, guesses),
            "in_scope": sum(p.in_scope for p in predictions) / len(predictions),
        }
    )


def _encode(options: argparse.Namespace, encoder: Encoder) -> None:
    import numpy as np

    texts = options.file.read_text(encoding="utf-8", errors="replace").splitlines()
    with options.out.open("wb") as file:
        np.save(file, encoder.encode(texts, kind=options.kind, progress=_show))


def _show(share: float, message: str) -> None:
    sys.stderr.write(f"{share:4.0%} {message}\n")


def _print(figures: dict[str, float]) -> None:
    for name, value in figures.items():
        sys.stdout.write(f"{name:16} {value:.4f}\n")


if __name__ == "__main__":
    sys.exit(main())
