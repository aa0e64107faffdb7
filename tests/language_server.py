"""A server of OpenAI's chat completions, as such servers answer and as they fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Streams `says`, a piece a word; or fails as `way` tells. `asked` keeps what it was sent.

    Ways: "status" (500), "page" (a web page with 200), "garbage" (events that are no JSON), "hang"
    (nothing, ever), "dies" (after half of its words).
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.says = ""
        self.way = ""
        self.asked: list[dict[str, Any]] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def serve() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        way = self.server.way
        self.send_response(500 if way == "status" else 200)
        self.send_header("Content-Type", "text/html" if way == "page" else "text/event-stream")
        self.end_headers()
        if way == "hang":
            self.server.stopping.wait()
        elif way == "page":
            self.wfile.write(b"<!doctype html><h1>Welcome</h1>")
        elif way == "garbage":
            self.wfile.write(b"data: {{{\n\n")
        elif way != "status":
            self._speak(dies=way == "dies")

    def _speak(self, *, dies: bool) -> None:
        pieces = self.server.says.split(" ")
        pieces = [pieces[0], *(f" {piece}" for piece in pieces[1:])]
        for piece in pieces[: len(pieces) // 2] if dies else pieces:
            self._send(choices=[{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
        if not dies:
            self._send(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
            self._send(
                choices=[],
                usage={"prompt_tokens": 70, "completion_tokens": len(pieces), "total_tokens": 0},
            )
            self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, **fields: Any) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", **fields}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def log_message(self, *_: Any) -> None:
        """Nothing on the test's output."""
