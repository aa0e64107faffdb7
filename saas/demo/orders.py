"""The demo shop's own order server: what a tenant runs, so that its bot can look an order up.

Frontdesk calls it with POST, signed. It answers a JSON object of texts and numbers, or 404 for an order
that it does not know. Run by `make demo`, or by hand: python -m saas.demo.orders PORT SECRET_FILE
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

KNOWN = range(10001, 10100)
LARGEST = 65_536  # bytes of a call
STATES = (
    ("is being packed", "正在打包"),
    ("has left our warehouse", "已出库"),
    ("is on its way to you", "正在运送途中"),
    ("is out for delivery", "正在派送"),
)


def status(order: str, *, today: date) -> dict[str, Any] | None:
    """What is known of an order; None of one that is not there."""
    if not order.isdigit() or int(order) not in KNOWN:
        return None
    state, state_zh = STATES[int(order) % len(STATES)]
    day = today + timedelta(days=len(STATES) - int(order) % len(STATES))
    return {"state": state, "state_zh": state_zh, "day": day.isoformat()}


class Orders(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST:
            return self._answer(413, {"error": "too large"})
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            told = self._checker().verify(self.rfile.read(int(length)), headers)
        except (OSError, ValueError, WebhookVerificationError):
            return self._answer(401, {"error": "not signed with our secret"})
        found = status(str(told["slots"].get("order")), today=date.today())
        return self._answer(200, found) if found else self._answer(404, {"error": "no such order"})

    def _checker(self) -> Webhook:
        secret: Path = self.server.secret  # type: ignore[attr-defined]
        return Webhook(secret.read_text())

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body, ensure_ascii=False).encode())


def main(port: int, secret: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", port), Orders)
    server.secret = secret  # type: ignore[attr-defined]
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
