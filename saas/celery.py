"""The Celery application: `celery -A saas worker -B`, which works off all queues."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings")

app = Celery("frontdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_process_init.connect
def yield_to_the_web(**_: Any) -> None:
    """Training gives way to answering where both share the cores, and takes no more than it needs."""
    from ml import shapes

    os.nice(10)
    shapes.keep_few()
