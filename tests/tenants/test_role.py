"""Start-up refuses a database role that row security does not hold for."""

import os
from urllib.parse import urlsplit, urlunsplit

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import ConnectionHandler

from tests import services


def test_a_superuser_is_refused(db: None) -> None:
    if services._started is None:
        pytest.skip("The servers were given: their superuser is not ours to use.")
    address = urlsplit(os.environ["DATABASE_URL"])
    superuser = address._replace(
        netloc=address.netloc.replace(address.username or "", "postgres", 1)
    )
    connections = ConnectionHandler({"default": environ.Env.db_url_config(urlunsplit(superuser))})
    with pytest.raises(ImproperlyConfigured, match="'postgres' ignores row security"):
        connections["default"].ensure_connection()
    connections.close_all()


def test_another_database_is_refused(db: None, tmp_path) -> None:
    address = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    connections = ConnectionHandler({"default": environ.Env.db_url_config(address)})
    with pytest.raises(ImproperlyConfigured, match="PostgreSQL"):
        connections["default"].ensure_connection()
    connections.close_all()
