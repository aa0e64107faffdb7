"""Django's one door to the encoder: loaded once per process, shared by all tenants, batched."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import structlog
from django.conf import settings

from saas.errors import Unavailable

if TYPE_CHECKING:
    from ml.encoder import Encoder
    from ml.engine import Engine
    from ml.types import Vectors

log = structlog.get_logger(__name__)
_lock = threading.Lock()
_loaded: tuple[Encoder, Engine] | None = None
_warm = threading.Event()
TIMEOUT = 10.0  # seconds


def _load() -> tuple[Encoder, Engine]:
    """The process's encoder and its engine. torch is imported here, not where Django starts."""
    global _loaded
    with _lock:
        if _loaded is None:
            from ml import weights
            from ml.encoder import Encoder
            from ml.engine import Engine

            folder = weights.locate(settings.ENCODER, cache=settings.ENCODER_CACHE)
            encoder = Encoder.load(folder, threads=settings.THREADS)
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
            encode(["ready"])
            _warm.set()
        except Exception:
            log.exception("the encoder could not be loaded; see ENCODER")

    threading.Thread(target=load, name="engine-warm-up", daemon=True).start()


def encode(texts: Sequence[str], kind: Literal["query", "passage"] = "query") -> Vectors:
    """Unit vectors of a few texts for an answer, float32[n, d]; raises Unavailable when overloaded."""
    from ml.errors import EngineError

    _, engine = _load()
    try:
        return engine.encode(texts, kind=kind, timeout=TIMEOUT)
    except EngineError as error:
        raise Unavailable(
            f"Too much is being asked at once ({error}). Try again in a second.",
            code="busy",
            wait=1,
        ) from error


def encode_all(
    texts: Sequence[str],
    kind: Literal["query", "passage"],
    progress: Callable[[float, str], None] | None = None,
) -> Vectors:
    """Unit vectors of many texts, past the queue: for workers, where no customer waits."""
    encoder, _ = _load()
    return encoder.encode(texts, kind=kind, progress=progress)


@functools.cache
def background() -> Vectors:
    """Unit vectors of sentences about other things (ml/background.py), float32[m, d]."""
    from ml.background import sentences

    return encode_all(sentences(), "query")


def fingerprint() -> str:
    """Which encoder this process serves: models and vectors of another one are not used."""
    encoder, _ = _load()
    return encoder.fingerprint
