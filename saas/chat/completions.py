"""A turn of the bot in the forms of OpenAI's chat completions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async

from saas import engine
from saas.chat.streams import Event

MODEL = "frontdesk"
PASSED_ON = {
    "en": "I have passed this on to my colleague, who answers you.",
    "zh": "已转给同事，由同事为您解答。",
}
Message = dict[str, Any]  # as POST /v1/chat/messages answers it
Turns = tuple[tuple[str, str], ...]  # who, and what they said


@dataclass(frozen=True, slots=True)
class Talk:
    """What a client asks, after what it says was said before."""

    question: str
    before: Turns
    language: str
    customer: str
    conversation_id: UUID | None
    created: int
    usage: bool

    @property
    def transcript(self) -> str:
        """The name of the conversation so far; empty where it has not begun."""
        return _digest(self.before) if self.before else ""

    def transcript_after(self, message: Message) -> str:
        said = (("user", self.question), ("assistant", self.content(message)))
        return _digest((*self.before, *said))

    def content(self, message: Message) -> str:
        """What the client is told; where a person answers, that they do."""
        answer = message["answer"]
        text: str = answer["text"] if answer else PASSED_ON[self.language]
        return text.strip()


def _digest(turns: Turns) -> str:
    return hashlib.sha256(json.dumps(turns).encode()).hexdigest()


def whole(talk: Talk, message: Message) -> dict[str, Any]:
    content = talk.content(message)
    said = {"role": "assistant", "content": content, "refusal": None}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": _id(message),
        "object": "chat.completion",
        "created": talk.created,
        "model": MODEL,
        "choices": [choice],
        "usage": usage(talk, content),
        "frontdesk": message,
    }


async def chunks(talk: Talk, events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    """The same as a stream of text, from the events of an answer."""
    form: dict[str, Any] = {
        "object": "chat.completion.chunk",
        "created": talk.created,
        "model": MODEL,
    }
    async for event in events:
        if event is None:
            yield ": still at it\n\n"
        elif event.name == "message.started":
            form["id"] = _id(event.data)
            yield _chunk(form, {"role": "assistant", "content": ""})
        elif event.name == "delta":
            yield _chunk(form, {"content": event.data["text"]})
        elif event.name == "error":
            yield _line({"error": error_of(500, event.data["code"], event.data["detail"])})
        elif event.name == "done":
            content = talk.content(event.data)
            if event.data["answer"] is None:
                yield _chunk(form, {"content": content})
            yield _chunk(form, {}, finish_reason="stop", frontdesk=event.data)
            if talk.usage:
                counted = await sync_to_async(usage, thread_sensitive=False)(talk, content)
                yield _line(form | {"choices": [], "usage": counted})
            yield "data: [DONE]\n\n"


def usage(talk: Talk, content: str) -> dict[str, int]:
    asked, said = engine.tokens([talk.question, content])
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def error_of(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    kinds = {402: "insufficient_quota", 429: "rate_limit_error", 500: "server_error"}
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"message": message, "type": kind, "param": param, "code": code}


def _id(message: Message) -> str:
    return f"chatcmpl-{message['message_id']}"


def _chunk(
    form: dict[str, Any], delta: dict[str, Any], *, finish_reason: str | None = None, **more: Any
) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _line(form | {"choices": [choice]} | more)


def _line(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
