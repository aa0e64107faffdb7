"""One worker in front of the encoder that serves many threads' requests in common batches."""

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from time import monotonic
from typing import Protocol

from ml.adapters import Adapter
from ml.encoder import Adapters, Kind, one_each
from ml.errors import EngineBusy, EngineClosed, EngineTimeout
from ml.types import Vectors


class Encodes(Protocol):
    def encode(
        self, texts: Sequence[str], *, kind: Kind = "query", adapter: Adapters = None
    ) -> Vectors: ...


@dataclass(frozen=True, slots=True)
class _Request:
    texts: tuple[str, ...]
    kind: Kind
    adapters: tuple[Adapter | None, ...]
    deadline: float
    answer: "Future[Vectors]" = field(default_factory=Future)


class Engine:
    """Micro-batching: what queued up while a pass ran shares the next pass.

    A lone request goes to the encoder at once. `max_batch` bounds the texts of a shared pass, and
    `max_wait_ms` is how long the worker waits for more company when several requests are there.
    """

    def __init__(
        self,
        encoder: Encodes,
        *,
        queue_size: int = 256,
        max_batch: int = 32,
        max_wait_ms: float = 0.0,
    ) -> None:
        self._encoder = encoder
        self._queue: Queue[_Request | None] = Queue(queue_size)
        self._max_batch = max_batch
        self._max_wait = max_wait_ms / 1000
        self._closed = threading.Event()
        self._worker = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._worker.start()

    def encode(
        self,
        texts: Sequence[str],
        *,
        kind: Kind = "query",
        adapter: Adapters = None,
        timeout: float = 10.0,
    ) -> Vectors:
        """float32[n, d], as `Encoder.encode`; safe to call from any thread.

        Requests with different adapters share a pass.

        Raises `EngineBusy` when the queue is full, `EngineTimeout` after `timeout` seconds,
        `EngineClosed` after `close`, and whatever the encoder raises on these texts.
        """
        if self._closed.is_set():
            raise EngineClosed("the engine is closed")
        adapters = tuple(one_each(adapter, len(texts)))
        request = _Request(tuple(texts), kind, adapters, monotonic() + timeout)
        try:
            self._queue.put_nowait(request)
        except Full:
            raise EngineBusy(
                f"{self._queue.maxsize} requests are waiting for the encoder; try again in a moment"
            ) from None
        try:
            return request.answer.result(timeout)
        except FutureTimeoutError:
            request.answer.cancel()
            raise EngineTimeout(f"no answer from the encoder within {timeout:g} s") from None
        except CancelledError:
            raise EngineClosed("the engine was closed before it answered") from None

    def close(self) -> None:
        """Stops the worker after the pass that runs. Requests still waiting get `EngineClosed`."""
        self._closed.set()
        with suppress(Full):
            self._queue.put_nowait(None)  # wakes a worker that waits for work
        self._worker.join()
        self._refuse_rest()

    def _work(self) -> None:
        while not self._closed.is_set():
            first = self._queue.get()
            if first is not None:
                self._serve(self._gather(first))

    def _gather(self, first: _Request) -> list[_Request]:
        """The request and those already behind it, as far as they fit into one pass."""
        requests, texts = [first], len(first.texts)
        until = monotonic() + (self._max_wait if not self._queue.empty() else 0)
        while texts < self._max_batch:
            try:
                request = self._queue.get(timeout=max(0.0, until - monotonic()))
            except Empty:
                break
            if request is None:
                break
            requests.append(request)
            texts += len(request.texts)
        return requests

    def _serve(self, requests: list[_Request]) -> None:
        now = monotonic()
        waiting = [
            request
            for request in requests
            if request.deadline > now and request.answer.set_running_or_notify_cancel()
        ]
        for kind in {request.kind for request in waiting}:
            self._answer([request for request in waiting if request.kind == kind], kind)

    def _answer(self, requests: list[_Request], kind: Kind) -> None:
        try:
            vectors = self._encoder.encode(
                [text for request in requests for text in request.texts],
                kind=kind,
                adapter=[adapter for request in requests for adapter in request.adapters],
            )
        except Exception as error:
            if len(requests) == 1:
                requests[0].answer.set_exception(error)
            else:  # each alone, so that one bad request does not fail its neighbours
                for request in requests:
                    self._answer([request], kind)
            return
        start = 0
        for request in requests:
            end = start + len(request.texts)
            request.answer.set_result(vectors[start:end])
            start = end

    def _refuse_rest(self) -> None:
        while True:
            try:
                request = self._queue.get_nowait()
            except Empty:
                return
            if request is not None:
                request.answer.cancel()
