"""A programmer's client of the API, as the show uses it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from saas.demo.laptop import DemoError


@dataclass(frozen=True, slots=True)
class Client:
    """Calls to one site with one key."""

    site: str
    secret: str

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self._call("POST", path, json.dumps(body).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310
            f"{self.site}/v1/{path}",
            data=body,
            method=method,
            headers={"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            problem = error.read().decode(errors="replace")
            raise DemoError(f"{method} /v1/{path} answered {error.code}: {problem}") from error
