"""The door to the operator's language model, against a server that answers as such servers do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.checks import run_checks
from structlog.testing import capture_logs

from ml import augment
from ml.types import Example
from saas.training.paraphrase import paraphraser

TEXT = "Where is my parcel?"


class Server(ThreadingHTTPServer):
    """Answers with `says`, with `body` where that is set, or with `status` where that is an error.

    It keeps what it was asked.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.says = ""
        self.status = 200
        self.body = ""
        self.kind = "application/json"
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.asked.append(json.loads(self.rfile.read(length)))
        self.server.keys.append(self.headers["Authorization"])
        message = {"role": "assistant", "content": self.server.says}
        good = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"} | {
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}]
        }
        bad = {"error": {"message": f"no: {TEXT}"}}
        answer = json.dumps(good if self.server.status == 200 else bad)
        body = (self.server.body or answer).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def server(settings) -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    settings.LLM_BASE_URL = f"http://127.0.0.1:{server.server_port}/v1"
    settings.LLM_API_KEY, settings.LLM_MODEL = "sk-own", "small-model"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_without_an_address_there_is_none(settings) -> None:
    settings.LLM_BASE_URL = ""
    assert paraphraser(print) is None


def test_it_asks_the_operators_model_and_gives_other_words(server) -> None:
    server.says = '"Has my package come?"\n"我的包裹在哪？"\n"one more"'
    lines: list[str] = []
    ask = paraphraser(lines.append)
    assert ask(TEXT, 2) == ["Has my package come?", "我的包裹在哪？"]
    assert ask(TEXT, 2) == ["Has my package come?", "我的包裹在哪？"]
    assert len(server.asked) == 1  # the same question is asked once
    assert server.asked[0]["model"] == "small-model"
    assert server.asked[0]["messages"][-1] == {"role": "user", "content": TEXT}
    assert server.keys == ["Bearer sk-own"]
    assert lines == []


@pytest.mark.parametrize(
    ("says", "kept"),
    [
        ("", []),
        ("Sure! Here are some:\n\n", []),
        ('```json\n["a parcel?", "my parcel?"]\n```', ["a parcel?", "my parcel?"]),
        ('"where is my PARCEL?"\n" "\n"ok"\n"OK"', ["ok"]),  # the same, nothing, and twice
        (json.dumps("far too long " * 20), []),
        ('{"text": "x"}\n7\nnull\n"ok",', ["ok"]),
        ('"two\\nlines"', ["two lines"]),
    ],
)
def test_only_other_messages_of_a_like_length_are_taken(server, says, kept) -> None:
    server.says = says
    assert paraphraser(print)(TEXT, 5) == kept


def test_long_and_empty_texts_are_not_sent(server) -> None:
    ask = paraphraser(print)
    assert ask("退款 " * 50_000, 3) == []
    assert ask(" ", 3) == []
    assert server.asked == []


@pytest.mark.parametrize("status", [401, 404])
def test_a_failure_is_told_once_and_ends_the_asking(server, status) -> None:
    server.status = status
    lines: list[str] = []
    ask = paraphraser(lines.append)
    with capture_logs() as logs:
        assert ask(TEXT, 2) == []
        assert ask("Something else", 2) == []
    assert len(server.asked) == 1
    assert len(lines) == 1
    assert f"HTTP status {status}" in lines[0]
    assert "LLM_API_KEY" in lines[0]
    assert "without further paraphrases" in lines[0]
    assert TEXT not in str([*logs, *lines])  # the server's answer repeats the customer's words
    assert [entry["event"] for entry in logs] == ["no paraphrases"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", "<!doctype html><h1>Welcome</h1>"),
        ("application/json", "{{{"),
        ("application/json", "[]"),
        ("application/json", "{}"),
        ("application/json", '{"choices": []}'),
        ("application/json", '{"choices": [{}]}'),
    ],
)
def test_what_is_no_chat_completion_is_a_failure_too(server, kind, body) -> None:
    server.kind, server.body = kind, body
    lines: list[str] = []
    assert paraphraser(lines.append)(TEXT, 2) == []
    assert "did not answer (an answer that is no " in lines[0]


def test_a_server_that_is_not_there_is_a_failure_too(settings, monkeypatch) -> None:
    monkeypatch.setattr("saas.training.paraphrase.RETRIES", 0)
    settings.LLM_BASE_URL, settings.LLM_MODEL = "http://127.0.0.1:9/v1", "m"
    lines: list[str] = []
    assert paraphraser(lines.append)(TEXT, 2) == []
    assert "did not answer (APIConnectionError)" in lines[0]


def test_examples_get_their_paraphrases(server) -> None:
    server.says = '"Has my package come?"\n"包裹到哪了"'
    made = augment.extend(
        [Example(TEXT, "delivery")], ["paraphrase"], paraphrase=paraphraser(print)
    )
    assert made == [Example("Has my package come?", "delivery"), Example("包裹到哪了", "delivery")]


@pytest.mark.parametrize(
    ("url", "model", "found"),
    [
        ("", "", set()),
        ("https://host/v1", "m", set()),
        ("host/v1", "m", {"frontdesk.E005"}),
        ("https://host/v1", "", {"frontdesk.E006"}),
    ],
)
def test_a_half_set_model_is_named_at_the_start(settings, url, model, found) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = url, model
    ids = {message.id for message in run_checks()}
    assert ids & {"frontdesk.E005", "frontdesk.E006"} == found
