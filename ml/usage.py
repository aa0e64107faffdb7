"""What a run costs: time, processor time of all threads and children, memory."""

import resource
import sys
import time

from ml.report import Cost

CHILDREN = resource.RUSAGE_CHILDREN


class Meter:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._start, self._cpu = time.perf_counter(), _cpu_seconds()

    def cost(self, *, examples: int, device: str) -> Cost:
        """`examples` is how many went through training, each epoch's counted."""
        seconds = time.perf_counter() - self._start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return Cost(
            seconds=seconds,
            cpu_seconds=_cpu_seconds() - self._cpu,
            peak_memory=peak * (1 if sys.platform == "darwin" else 1024),
            examples_per_second=examples / seconds,
            device=device,
        )


def _cpu_seconds() -> float:
    children = resource.getrusage(CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
