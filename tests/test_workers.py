"""Work that is handed over, and a queue that does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from celery.app.task import Task
from celery.exceptions import OperationalError

from saas.chat.models import Passage
from tests.conftest import found


@pytest.mark.usefixtures("committed")
def test_a_queue_that_is_away_is_nobody_elses_trouble(monkeypatch: Any) -> None:
    asked = []

    def away(task: Task, *_: Any, **__: Any) -> None:
        asked.append(task.name)
        raise OperationalError("Connection refused.")

    shop = found("shop")
    monkeypatch.setattr(Task, "apply_async", away)
    answer = shop.call.post("knowledge", [{"question": "When?", "answer": "Now."}])
    assert answer.status_code == 200, answer.content
    assert asked == ["saas.chat.tasks.embed"]
    with shop.scope():
        assert Passage.objects.get().answer == "Now."
