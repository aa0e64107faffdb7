"""What operators and browsers see first: health, security headers, the documentation."""

from __future__ import annotations

import re
import threading

import pytest
from django.test import Client

from saas import engine

CALL = Client()


def test_a_process_that_runs_is_alive_without_any_service(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert CALL.get("/healthz").json() == {"status": "alive"}


def test_a_process_is_ready_once_everything_it_needs_is_there(db) -> None:
    engine.warm_up()
    for thread in threading.enumerate():
        if thread.name == "engine-warm-up":
            thread.join()

    answer = CALL.get("/readyz")

    assert set(answer.json()) >= {"database", "redis", "encoder"}
    assert all(answer.json().values())
    assert answer.status_code == 200


def test_a_missing_redis_is_named(db, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = CALL.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["redis"] is False
    assert answer.json()["database"] is True


def test_an_encoder_that_is_still_loading_is_named(db, monkeypatch) -> None:
    monkeypatch.setattr(engine, "is_ready", lambda: False)

    answer = CALL.get("/readyz")

    assert (answer.status_code, answer.json()["encoder"]) == (503, False)


def test_calls_are_answered_while_redis_is_gone(shop, settings, monkeypatch) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = shop.call.get("items")

    assert answer.status_code == 200
    assert "RateLimit" not in answer


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/v1/openapi.json", "/v1/items", "/nothing"])
def test_every_answer_is_guarded_in_the_browser(path: str, db) -> None:
    answer = CALL.get(path)

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin" or path == "/docs"
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"] or path == "/docs"


def test_a_request_id_comes_back_as_it_was_sent() -> None:
    assert (
        CALL.get("/healthz", headers={"X-Request-ID": "abc-12345"})["X-Request-ID"] == "abc-12345"
    )


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, "two words 123", "<script>alert(1)"])
def test_a_request_id_that_could_not_stand_in_a_log_is_replaced(sent: str) -> None:
    given = CALL.get("/healthz", headers={"X-Request-ID": sent})["X-Request-ID"]

    assert re.fullmatch(r"[0-9a-f-]{36}", given)


def _addresses(text: str) -> set[str]:
    return set(re.findall(r"(?:https?:)?//[A-Za-z0-9.-]+", text))


def test_the_document_is_public_and_names_no_other_host() -> None:
    answer = CALL.get("/v1/openapi.json")

    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
    assert _addresses(answer.content.decode()) <= {
        "https://shop.example"
    }  # an example of an origin


def test_the_documentation_is_public_and_loads_nothing_from_elsewhere() -> None:
    page = CALL.get("/docs")

    assert page.status_code == 200
    assert _addresses(page.content.decode()) == set()
    files = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert len(files) >= 3
    for path in files:
        assert CALL.get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["/docs/", "/v1", "/v1/", "/v2/items", "/admin", "/static/x.js"])
def test_what_is_not_there_is_a_problem_document(path: str) -> None:
    answer = CALL.get(path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_the_documentation_says_so_where_it_cannot_answer() -> None:
    for answer, status in (
        (CALL.post("/docs"), 405),
        (CALL.get("/docs", headers={"Accept": "application/json"}), 406),
        (CALL.delete("/v1/openapi.json"), 405),
    ):
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["detail"]
