"""Django's one door to the encoder: loaded once per process, shared by all tenants, batched."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog
from django.conf import settings

from saas.errors import Unavailable

if TYPE_CHECKING:
    from ml.adapters import Adapter
    from ml.encoder import Adapters, Encoder
    from ml.engine import Engine
    from ml.reranker import Reranker
    from ml.retrieval import Question
    from ml.safety import Guard
    from ml.sentiment import Sentiment
    from ml.types import Vectors

log = structlog.get_logger(__name__)
_lock = threading.Lock()
_loaded: tuple[Encoder, Engine] | None = None
_warm = threading.Event()
TIMEOUT = 10.0  # seconds
SPACES = 64  # adapters whose background is kept


def _load() -> tuple[Encoder, Engine]:
    """The process's encoder and its engine. torch is imported here, not where Django starts."""
    global _loaded
    with _lock:
        if _loaded is None:
            from ml.encoder import Encoder
            from ml.engine import Engine

            encoder = Encoder.load(weights_folder(), threads=settings.THREADS)
            _loaded = encoder, Engine(encoder, queue_size=settings.ENGINE_QUEUE)
        return _loaded


def is_ready() -> bool:
    return _warm.is_set()


def warm_up() -> None:
    """Load the encoder in the background, so that a web server starts at once."""

    def load() -> None:
        try:
            import faiss  # noqa: F401  (the first search would wait for it)

            background()
            guard()
            sentiment()
            encode(["ready"])
            if settings.RERANKER:
                rerank("ready", ["ready"])
            _warm.set()
        except Exception:
            log.exception("the encoder could not be loaded; see ENCODER")

    threading.Thread(target=load, name="engine-warm-up", daemon=True).start()


def encode(
    texts: Sequence[str],
    kind: Literal["query", "passage"] = "query",
    adapter: Adapters = None,
) -> Vectors:
    """Unit vectors of a few texts for an answer, float32[n, d]; raises Unavailable when overloaded.

    `adapter` is a tenant's, for all texts or one for each; None is the encoder as it is.
    """
    from ml.errors import EngineError

    _, engine = _load()
    try:
        return engine.encode(texts, kind=kind, adapter=adapter, timeout=TIMEOUT)
    except EngineError as error:
        raise Unavailable(
            f"Too much is being asked at once ({error}). Try again in a second.",
            code="busy",
            wait=1,
        ) from error


def tokens(texts: Sequence[str]) -> list[int]:
    """How many tokens of the encoder's each text has."""
    return _load()[0].tokens(texts)


def encode_all(
    texts: Sequence[str],
    kind: Literal["query", "passage"],
    progress: Callable[[float, str], None] | None = None,
    adapter: Adapter | None = None,
) -> Vectors:
    """Unit vectors of many texts, past the queue: for workers, where no customer waits."""
    encoder, _ = _load()
    return encoder.encode(texts, kind=kind, adapter=adapter, progress=progress)


def rerank(question: str, passages: Sequence[str]) -> Vectors:
    """How well each passage answers by the cross-encoder in RERANKER, float32[passages]."""
    return _reranker().scores(question, passages)


def reranker_fault() -> str:
    """What is wrong with the folder that RERANKER names; a model of the hub shows once it is loaded."""
    from ml import reranker
    from ml.errors import WeightsError

    if settings.RERANKER.startswith((".", "/", "~")):
        try:
            reranker.check(Path(settings.RERANKER).expanduser())
        except WeightsError as error:
            return str(error)
    return ""


@functools.cache
def _reranker() -> Reranker:
    from ml import weights
    from ml.reranker import Reranker

    return Reranker.load(
        weights.locate(settings.RERANKER, cache=settings.ENCODER_CACHE, setting="RERANKER")
    )


@functools.lru_cache(maxsize=SPACES)
def background(adapter: Adapter | None = None) -> Vectors:
    """Unit vectors of sentences about other things (ml/background.py), float32[m, d]."""
    from ml.background import sentences

    return encode_all(sentences(), "query", adapter=adapter)


@functools.lru_cache(maxsize=SPACES)
def strangers(adapter: Adapter | None = None) -> list[Question]:
    """The same sentences as questions that no passage answers, by which coincidence is known."""
    from ml.background import sentences
    from ml.retrieval import Question

    both = zip(sentences(), background(adapter), background(), strict=True)
    return [Question(*one) for one in both]


@functools.cache
def guard() -> Guard:
    """Says which dangers a text holds, by the encoder as it is; with the operator's model, if any."""
    from ml.safety import Guard
    from ml.wording import Wording

    own = Wording.load(settings.SAFETY_MODEL) if settings.SAFETY_MODEL else None
    return Guard.fit(lambda texts: encode_all(texts, "query"), wording=own)


@functools.cache
def sentiment() -> Sentiment:
    """Says how a customer feels, by the encoder as it is."""
    from ml.sentiment import Sentiment

    return Sentiment.fit(lambda texts: encode_all(texts, "query"))


def space(adapter: Adapter | None) -> str:
    """The name of what an adapter makes of the encoder: vectors of one space may be compared."""
    return fingerprint() if adapter is None else adapter.space


def encoder() -> tuple[Encoder, Path]:
    """The process's encoder and the folder of its weights: for what is trained on top of it."""
    return _load()[0], weights_folder()


def weights_folder() -> Path:
    from ml import weights

    return weights.locate(settings.ENCODER, cache=settings.ENCODER_CACHE)


def fingerprint() -> str:
    """Which encoder this process serves: models and vectors of another one are not used."""
    encoder, _ = _load()
    return encoder.fingerprint
