"""PostgreSQL and Redis for the tests, ready before Django reads its settings (pytest -p tests.services).

The tests run on a database of their own, made anew for each session, as the application's restricted
role. Where DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL are given, those servers are used. TEST_HOME
names the folder under var/, so that several sessions can run side by side.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
import redis

from saas import embedded

HOME = Path(__file__).resolve().parent.parent / "var" / os.environ.get("TEST_HOME", "test")
DATABASE = "frontdesk_test"
GIVEN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")

_started: embedded.Services | None = None


def start() -> None:
    global _started
    if not all(name in os.environ for name in GIVEN):
        _started = embedded.start(HOME, durable=False)
        os.environ.update(_started.environment)
    owner = os.environ["DATABASE_OWNER_URL"]
    _create_database(owner)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ[name] = urlunsplit(urlsplit(os.environ[name])._replace(path=f"/{DATABASE}"))
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushdb()
    os.environ.update(
        SECRET_KEY="for the tests only, and long enough to be taken for a real one: 0123456789",
        HTTPS="0",
        SERVICES_FILE=str(HOME / "none"),
        ARTIFACTS=str(HOME / "artifacts"),
        DOCUMENTS=str(HOME / "documents"),
        LOG_LEVEL="WARNING",
        HF_HUB_OFFLINE="1",
        # Web server, worker and three sessions of tests share the cores: more threads only wait.
        THREADS="1",
        OMP_NUM_THREADS="1",
    )


def _create_database(owner_url: str) -> None:
    connection = psycopg2.connect(owner_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    connection.close()


def pytest_unconfigure(config: pytest.Config) -> None:
    stop()


def stop() -> None:
    if _started is not None:
        embedded.stop(_started)


start()
