"""OpenAI's own package talks to a tenant's bot: asked at once, streamed, refused, and hung up on."""

from __future__ import annotations

import http.client
import json
from typing import Any

import openai
import pytest

from saas.billing.models import UsageRecord
from saas.chat.models import Message
from tests.live.conftest import eventually

pytestmark = pytest.mark.live
ASKED = [{"role": "user", "content": "Who won the match?"}]


def test_openais_package_talks_to_the_bot(business, web, port) -> None:
    web(port)
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=business.secret)

    def ask(**given: Any) -> Any:
        return client.chat.completions.create(
            **{"model": "frontdesk", "messages": ASKED} | given  # type: ignore[arg-type]
        )

    assert [model.id for model in client.models.list()] == ["frontdesk"]
    assert client.models.retrieve("frontdesk").owned_by == business.slug
    whole = ask()
    said = whole.choices[0].message
    assert whole.usage.completion_tokens > 0
    assert whole.frontdesk["answer"]["kind"] == "fallback"

    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    parts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(parts) == said.content
    assert chunks[-1].usage == whole.usage

    # A client keeps the history itself and sends an answer back as it got it.
    history = [*ASKED, said.model_dump(), {"role": "user", "content": "And now?"}]
    same = {answer.frontdesk["conversation_id"] for answer in (whole, chunks[-2])}
    assert ask(messages=history).frontdesk["conversation_id"] in same

    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="fd_sk_wrong").models.list()
    with pytest.raises(openai.NotFoundError, match="frontdesk"):
        ask(model="gpt-4o")
    with pytest.raises(openai.BadRequestError, match="n: ") as refused:
        ask(n=2)
    assert (refused.value.param, refused.value.code) == ("n", "invalid")
    with business.scope():
        assert UsageRecord.objects.count() == 3

    _hang_up(port, business)
    with business.scope():
        eventually(lambda: UsageRecord.objects.count() == 4, within=30)
        assert Message.objects.filter(author="bot").count() == 4
    assert ask().choices, "the thread of the stream serves again"


def _hang_up(port: int, business: Any) -> None:
    """Read one event and go away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {business.secret}", "Accept": "text/event-stream"}
    headers["Content-Type"] = "application/json"
    connection.request("POST", "/v1/chat/messages", json.dumps({"text": "Hi"}), headers)
    response = connection.getresponse()
    assert response.readline() == b"id: 1\n"
    response.close()
    connection.close()
