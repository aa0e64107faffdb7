"""A caller of the API over one kept connection per thread, as a tenant's server would be."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

LANES = 4


class Caller:
    def __init__(self, site: str, secret: str) -> None:
        self.address = urlsplit(site).netloc
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.local = threading.local()

    def get(self, path: str) -> Any:
        return self._call("GET", path, None, {})

    def post(self, path: str, body: Any) -> Any:
        return self._call(
            "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )

    def upload(self, kind: str, name: str, content: bytes) -> Any:
        border = uuid.uuid4().hex
        body = (
            f'--{border}\r\nContent-Disposition: form-data; name="kind"\r\n\r\n{kind}\r\n'
            f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        ).encode()
        body += content + f"\r\n--{border}--\r\n".encode()
        kind_of_body = f"multipart/form-data; boundary={border}"
        return self._call("POST", "imports", body, {"Content-Type": kind_of_body})

    def upload_file(self, kind: str, path: Path) -> Any:
        return self.upload(kind, path.name, path.read_bytes())

    def _call(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self.address, timeout=600)
            connection.connect()
            self.local.connection = connection
        try:
            connection.request(method, f"/v1/{path}", body, self.headers | headers)
            response = connection.getresponse()
        except (BrokenPipeError, http.client.RemoteDisconnected):
            connection.close()  # the server ends connections that have been idle: open it again
            connection.request(method, f"/v1/{path}", body, self.headers | headers)
            response = connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:500]!r}")
        return json.loads(content) if content else None


def each(name: str, call: Callable[[Any], Any], inputs: Iterable[Any]) -> list[Any]:
    """The answers to all inputs, several at a time, with a progress bar."""
    inputs = list(inputs)
    with ThreadPoolExecutor(LANES) as pool:
        return list(tqdm(pool.map(call, inputs), total=len(inputs), desc=f"{name:<34}"))
