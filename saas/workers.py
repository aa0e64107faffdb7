"""Work that is handed to the workers."""

from __future__ import annotations

from typing import Any

from django.db import transaction


def queue(task: Any, *given: str) -> None:
    """Have a worker do a Celery task, once this transaction is committed.

    What is committed stays where the queue does not answer, which is logged: who queues looks for what
    was left behind.
    """

    def send() -> None:  # a function, whose name Django logs: a `partial` has none
        task.delay(*given)

    transaction.on_commit(send, robust=True)
