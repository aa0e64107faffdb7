"""Answers that are followed while they are made: each goes on to its end, whoever still listens."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from django.db import close_old_connections

from saas import errors
from saas.api import Replay
from saas.chat import streams
from saas.chat.dialog import Delta, Done, Started, Turn
from saas.chat.streams import Event, Log
from saas.errors import Unavailable

Message = dict[str, Any]  # as the API gives it
Step = Started | Delta | Done[Message]

PLACES = 16  # answers under way in a process: a thread and a database connection each
LONGEST = 120.0  # seconds after which the readers of an answer are told that it broke off
_places = threading.BoundedSemaphore(PLACES)
_pool = ThreadPoolExecutor(PLACES, thread_name_prefix="answer")
_lock = threading.Lock()
_under_way: dict[UUID, tuple[Log, float]] = {}


def start(turn: Turn[Message], *, tenant_id: UUID) -> tuple[Log, Event]:
    """Begin an answer: its log, and the first event, which is there already.

    Raises what the turn raises before its first step, and Unavailable where too many answers are
    under way or Redis is away. Then nothing is stored or reserved.
    """
    if not _places.acquire(blocking=False):
        raise Unavailable("Too many answers at once. Try again in a second.", code="busy", wait=1)
    steps = turn.events()
    try:
        streams.check()
        first = next(steps)
        if isinstance(first, Done):  # it waits for a person: there is nothing to be made
            begun = _written(tenant_id, first.result)
            _places.release()
            return begun
        assert isinstance(first, Started)  # noqa: S101
        made = Log(tenant_id, first.message_id)
        event = _started(first.conversation_id, first.message_id)
        made.append(event)
        _pool.submit(_go_on, steps, made, turn.said.language)
    except BaseException:
        steps.close()
        _places.release()
        raise
    return made, event


def retold(message: Message) -> Iterator[Event]:
    """The events of an answer that is there as a whole."""
    yield _started(message["conversation_id"], message["message_id"])
    if message["answer"]:
        yield Event("delta", {"text": message["answer"]["text"]})
    yield from _ending(message)


def _go_on(steps: Iterator[Step], made: Log, language: str) -> None:
    _keep(made)
    try:
        close_old_connections()
        for step in steps:
            _tell(made, step)
    except Replay as replay:  # a call with the same Idempotency-Key was quicker
        _end(made, _ending(replay.response.data))
    except Exception as error:
        _end(made, [streams.failure(errors.code_of(error), language)])
    finally:
        close_old_connections()
        _places.release()


def _tell(made: Log, step: Step) -> None:
    if isinstance(step, Delta):
        made.append(Event("delta", {"text": step.text}))
    elif isinstance(step, Done):
        _end(made, _ending(step.result))


def _end(made: Log, events: Iterable[Event]) -> None:
    with _lock:
        _under_way.pop(made.message_id, None)
    for event in events:
        made.append(event)


def _written(tenant_id: UUID, message: Message) -> tuple[Log, Event]:
    made, events = Log(tenant_id, UUID(message["message_id"])), list(retold(message))
    for event in events:
        made.append(event)
    return made, events[0]


def _ending(message: Message) -> Iterator[Event]:
    """What follows an answer's text."""
    answer = message["answer"] or {}
    if answer.get("citations"):
        yield Event("citations", {name: answer[name] for name in ("citations", "sources")})
    if answer.get("items"):
        yield Event("items", {"items": answer["items"]})
    yield Event("done", message)


def _started(conversation_id: object, message_id: object) -> Event:
    ids = {"conversation_id": str(conversation_id), "message_id": str(message_id)}
    return Event("message.started", ids, 1)


def _keep(made: Log) -> None:
    """Renew the log's lease from now on."""
    with _lock:
        _under_way[made.message_id] = made, time.monotonic()
        _renewer()


@functools.cache
def _renewer() -> threading.Thread:
    thread = threading.Thread(target=_renew, name="answers-alive", daemon=True)
    thread.start()
    return thread


def _renew() -> None:
    while True:
        time.sleep(streams.LEASE / 3)
        young = time.monotonic() - LONGEST
        with _lock:  # a log that has ended keeps its own time
            streams.renew([made for made, since in _under_way.values() if since > young])
