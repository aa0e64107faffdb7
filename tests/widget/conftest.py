"""A page of a shop's own, and visitors on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tenants import keys
from tests.conftest import Business

ORIGIN = "https://shop.example"


class Page:
    """A browser with a page of an origin in it; it holds what the widget would hold."""

    def __init__(self, key: str, *, origin: str = ORIGIN, language: str = "en") -> None:
        self.key, self.origin, self.language, self.token = key, origin, language, ""
        self.client = Client(raise_request_exception=False)

    def begin(self, **body: Any) -> Any:
        """A session, begun or gone on with; its token is used from now on."""
        answer = self.call("POST", "session", body, bearer=self.key)
        if answer.status_code == 200:
            self.token = answer.json()["token"]
        return answer

    def call(
        self, method: str, path: str, body: Any = None, *, bearer: str = "", **headers: str
    ) -> Any:
        sent = {"Authorization": f"Bearer {bearer or self.token}", "Accept-Language": self.language}
        sent |= {"Origin": self.origin} | headers
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, f"/widget/{path}", data, content_type="application/json", headers=sent
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def say(self, text: str, conversation: str | None = None, **headers: str) -> Any:
        return self.post("messages", {"text": text, "conversation_id": conversation}, **headers)


def key_of(business: Business, *origins: str) -> str:
    with business.scope():
        _, secret = keys.issue(
            name="page", kind="pk", origins=origins or (ORIGIN,), actor=business.owner
        )
    return secret


@pytest.fixture
def page(shop: Business) -> Page:
    found = Page(key_of(shop))
    assert found.begin().status_code == 200
    return found
