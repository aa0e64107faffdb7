"""Start-up checks: a misconfiguration is named with what to do, before anything is served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from saas import engine
from saas import settings as environment
from tenants import rls


@register
def check_environment(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    # Django itself would raise on reading it: the module says it without.
    if not environment.SECRET_KEY:
        found.append(
            Error(
                "SECRET_KEY is not set.",
                hint="Set it to 50 random characters or more; every process needs the same.",
                id="frontdesk.E001",
            )
        )
    if not settings.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        found.append(
            Error(
                "REDIS_URL is not a Redis address.", hint="redis://host:6379/0", id="frontdesk.E002"
            )
        )
    if not 1 <= settings.THREADS <= 256:
        found.append(Error("THREADS must be 1 to 256.", id="frontdesk.E004"))
    if "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        found.append(
            Warning("ALLOWED_HOSTS takes any host.", hint="Name yours.", id="frontdesk.W001")
        )
    return found


@register
def check_models(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.ENCODER.startswith((".", "/", "~")) and not Path(settings.ENCODER).is_dir():
        found.append(
            Error(
                f"ENCODER names the folder {settings.ENCODER!r}, which is not there.",
                hint="Name a folder with a model, a hub model, or leave it empty.",
                id="frontdesk.E003",
            )
        )
    if settings.SAFETY_MODEL and not settings.SAFETY_MODEL.is_dir():
        found.append(
            Error(
                f"SAFETY_MODEL names the folder {str(settings.SAFETY_MODEL)!r}, which is not there.",
                hint="Name a folder from `python -m ml train wording`, or leave it empty.",
                id="frontdesk.E008",
            )
        )
    if fault := engine.reranker_fault():
        found.append(
            Error(
                f"RERANKER cannot be used: {fault}.",
                hint="Name a folder with a cross-encoder, a hub model, or leave it empty.",
                id="frontdesk.E007",
            )
        )
    return found


@register
def check_language_model(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.LLM_BASE_URL and not settings.LLM_BASE_URL.startswith(("https://", "http://")):
        found.append(
            Error(
                "LLM_BASE_URL is not a web address.",
                hint="https://host/v1, or empty for none.",
                id="frontdesk.E005",
            )
        )
    if settings.LLM_BASE_URL and not settings.LLM_MODEL:
        found.append(
            Error(
                "LLM_BASE_URL is set, LLM_MODEL is not.",
                hint="Name the model that the server at LLM_BASE_URL has.",
                id="frontdesk.E006",
            )
        )
    return found


@register(Tags.database)
def check_wall(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Row security is on, forced and has its policy on every tenant-owned table."""
    if not databases or "default" not in databases:
        return []
    return [
        Error(
            f"Table {table} is not behind row security: tenants are not kept apart in it.",
            hint="Run manage.py migrate; a new tenant table needs rls.protect() in its migration.",
            id="frontdesk.E010",
        )
        for table in rls.unprotected_tables()
    ]
