import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from ml.engine import Engine
from ml.errors import EngineBusy, EngineClosed, EngineTimeout


class Slow:
    """Encodes a text to its length; can be held up, and fails on "bad"."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.batches: list[list[str]] = []

    def encode(self, texts, *, kind="query", adapter=None):
        self.batches.append(list(texts))
        self.free.wait(5)
        if "bad" in texts:
            raise ValueError("bad text")
        return np.array([[len(text), kind == "query"] for text in texts], dtype=np.float32)


@pytest.fixture
def slow():
    return Slow()


@pytest.fixture
def engine(slow: Slow):
    engine = Engine(slow, queue_size=4)
    yield engine
    slow.free.set()
    engine.close()


def started(*calls: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "waited for 5 seconds in vain"
        time.sleep(0.002)


def test_every_thread_gets_its_own_rows(engine: Engine, slow: Slow):
    answers: dict[int, np.ndarray] = {}

    def ask(size: int) -> None:
        kind = "query" if size % 2 else "passage"
        answers[size] = engine.encode(["x" * size, "y"], kind=kind)

    slow.free.clear()
    threads = started(*(lambda size=size: ask(size) for size in range(1, 5)))
    slow.free.set()
    for thread in threads:
        thread.join()
    for size, rows in answers.items():
        assert rows.tolist() == [[size, size % 2], [1, size % 2]]


def test_what_waits_shares_the_next_pass(engine: Engine, slow: Slow):
    slow.free.clear()
    threads = started(lambda: engine.encode(["first"]))
    until(lambda: len(slow.batches) == 1)
    threads += started(*(lambda: engine.encode(["later"]) for _ in range(3)))
    until(lambda: engine._queue.qsize() == 3)
    slow.free.set()
    for thread in threads:
        thread.join()
    assert slow.batches == [["first"], ["later"] * 3]


def test_one_bad_request_fails_alone(engine: Engine, slow: Slow):
    results: list[object] = []

    def ask(text: str) -> None:
        try:
            results.append(engine.encode([text]).shape)
        except ValueError as error:
            results.append(str(error))

    slow.free.clear()
    threads = started(lambda: ask("first"))
    until(lambda: len(slow.batches) == 1)
    threads += started(lambda: ask("bad"), lambda: ask("good"))
    until(lambda: engine._queue.qsize() == 2)
    slow.free.set()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["(1, 2)", "(1, 2)", "bad text"]
    assert engine.encode(["still alive"]).shape == (1, 2)


def test_a_full_queue_is_busy_and_a_slow_pass_times_out(engine: Engine, slow: Slow):
    slow.free.clear()
    threads = started(lambda: engine.encode(["first"]))
    until(lambda: len(slow.batches) == 1)
    with pytest.raises(EngineTimeout, match=r"0\.01 s"):
        engine.encode(["late"], timeout=0.01)
    threads += started(*(lambda: engine.encode(["wait"]) for _ in range(3)))
    until(lambda: engine._queue.full())
    with pytest.raises(EngineBusy, match="try again"):
        engine.encode(["one too many"])
    slow.free.set()
    for thread in threads:
        thread.join()
    assert "late" not in [text for batch in slow.batches for text in batch]


def test_a_closed_engine_says_so(slow: Slow):
    engine = Engine(slow)
    engine.close()
    with pytest.raises(EngineClosed):
        engine.encode(["x"])
