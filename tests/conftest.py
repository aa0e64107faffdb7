"""The shared cast: two tenants and a stranger, each with the client of its programmer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client

from saas.billing import plans
from tenants import keys, members, rls
from tenants.scope import tenant_scope
from tests import language_server


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """The schema, made by its owner; the tests themselves run as the application's role."""
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Caller:
    """A programmer's client: JSON in and out, with a key."""

    def __init__(self, secret: str = "", **headers: str) -> None:
        self.secret = secret
        self.client = Client(raise_request_exception=False)
        self.headers = headers

    def __call__(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> Any:
        sent = dict(self.headers) | headers
        if self.secret:
            sent["Authorization"] = f"Bearer {self.secret}"
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, f"/v1/{path}", data, content_type="application/json", headers=sent
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)

    def upload(self, kind: str, name: str, content: bytes) -> Any:
        from django.core.files.uploadedfile import SimpleUploadedFile

        return self.client.post(
            "/v1/imports",
            {"kind": kind, "file": SimpleUploadedFile(name, content)},
            headers={"Authorization": f"Bearer {self.secret}"},
        )


@dataclass(frozen=True)
class Business:
    """A tenant of the cast."""

    id: UUID
    slug: str
    owner: str
    secret: str
    call: Caller

    def scope(self) -> Any:
        return tenant_scope(self.id)


def found(slug: str, *, plan: str = "growth") -> Business:
    """Sign up a tenant, put it on a plan and issue its key."""
    owner = f"owner@{slug}.example"
    tenant = members.sign_up(email=owner, password="correct horse", name=slug.title(), slug=slug)
    with tenant_scope(tenant.id):
        plans.subscribe(plan, actor=owner)
        _, secret = keys.issue(name="tests", actor=owner)
    return Business(tenant.id, slug, owner, secret, Caller(secret))


@pytest.fixture
def shop(db: None) -> Business:
    return found("shop")


@pytest.fixture
def bank(db: None) -> Business:
    return found("bank")


@pytest.fixture
def stranger(db: None) -> Caller:
    """Somebody without a key."""
    return Caller()


@pytest.fixture
def owner() -> Iterator[Any]:
    """A cursor of the schema's owner, each statement committed at once."""
    connection = psycopg2.connect(os.environ["DATABASE_OWNER_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any, owner: Any) -> Iterator[None]:
    """The database without a transaction around the test: for threads, and for what only a commit shows.

    The owner empties the tables afterwards; the application's role may not.
    """
    with django_db_blocker.unblock():
        yield
        connections.close_all()
    tables = [model._meta.db_table for model in rls.tenant_models()] + ["tenants_user"]
    owner.execute("SET lock_timeout = '20s'")
    _empty(owner, tables)


def _empty(owner: Any, tables: list[str]) -> None:
    """A server's last request may hold one of them and wait for another: then one of both gives way."""
    for last in (False, False, True):
        try:
            return owner.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        except psycopg2.errors.DeadlockDetected:
            if last:
                raise


@pytest.fixture
def worked_off(
    settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> Callable[..., Any]:
    """A context in which queued tasks are done in this process as soon as their request is over."""
    from saas.celery import app

    app.conf.task_always_eager = True
    app.conf.task_eager_propagates = True
    yield lambda: django_capture_on_commit_callbacks(execute=True)
    app.conf.task_always_eager = False


@pytest.fixture
def model(settings: Any) -> Iterator[language_server.Server]:
    """A language model's server, which the product is set to."""
    with language_server.serve() as server:
        settings.LLM_BASE_URL, settings.LLM_MODEL = server.url, "small-model"
        yield server
