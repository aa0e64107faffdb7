"""The folder of a changed encoder: there whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ml import weights
from ml.errors import WeightsError

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def check_free(out: Path) -> None:
    """Raises `WeightsError` where something is at `out`: asked before hours of work, not after."""
    if out.exists():
        raise WeightsError(f"{out} exists already; name a folder that does not, or remove it")


@contextmanager
def drafted(out: Path) -> Iterator[Path]:
    """A folder to write to; without an exception in between it is at `out` afterwards.

    Raises `WeightsError` where something is at `out` already, or where it cannot be written.
    """
    check_free(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise WeightsError(f"cannot write to {out.parent}: {error.strerror}") from error
    try:
        yield draft
        draft.chmod(0o755)  # mkdtemp's 0o700 would hide it from a server under another user
        draft.rename(out)
    except OSError as error:
        raise WeightsError(f"cannot write the encoder to {out}: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def save(model: Any, source: Path, out: Path, *, tokenizer: str | None = None) -> None:
    """A Hugging Face folder: `model`'s config and weights, `source`'s recipe and tokenizer.

    `tokenizer` is the content of another tokenizer.json. Raises as `drafted` does.
    """
    write(source, out, model.save_pretrained, tokenizer=tokenizer)


def write(
    source: Path, out: Path, save: Callable[[Path], Any], *, tokenizer: str | None = None
) -> None:
    """The same with any way to write the weights and config.json. Raises as `drafted` does."""
    from ml.encoder import load_tokenizer

    with drafted(out) as draft:
        save(draft)
        for name in TOKENIZER:
            if (source / name).is_file():
                shutil.copyfile(source / name, draft / name)
        if tokenizer is None and not (source / "tokenizer.json").is_file():
            from transformers import AutoConfig

            tokenizer = load_tokenizer(source, AutoConfig.from_pretrained(source))[0].to_str()
        if tokenizer is not None:
            (draft / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
        recipe = asdict(weights.recipe(source))
        own = {"pooling": recipe.pop("pooling"), "prefixes": recipe}
        (draft / weights.RECIPE).write_text(json.dumps(own, indent=1), encoding="utf-8")


def size(folder: Path) -> int:
    """Bytes of weights and tokenizer: what is shipped and read."""
    files = [*folder.glob("*.safetensors"), *folder.glob("tokenizer.json")]
    return sum(file.stat().st_size for file in files)
