"""The bot behind OpenAI's chat completions: any client of that API can ask it.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ml.language import language_of
from saas import rates, rows
from saas.api import Body, InvalidBody, Replay, validated
from saas.chat import completions, conversations, dialog, production, streams
from saas.chat.api import streaming
from saas.chat.api.messages import MessageOut, message_out
from saas.chat.api.openai import OpenAIView, UnknownModel
from saas.chat.api.streaming import EventStream
from saas.chat.completions import MODEL, Talk


class Part(BaseModel):
    type: Literal["text"]
    text: str


class ChatMessage(Body):
    """More fields of a message, as clients send an answer of ours back, are left alone."""

    model_config = Body.model_config | {"extra": "ignore"}

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @property
    def is_said(self) -> bool:
        """Instructions are not: the business sets what its bot does."""
        return self.role in ("user", "assistant")

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content).strip()


class StreamOptions(BaseModel):
    include_usage: bool = False


class Metadata(BaseModel):
    conversation_id: UUID | None = Field(
        default=None, description="From `frontdesk` in an earlier answer, to go on with it"
    )


class TextFormat(BaseModel):
    type: Literal["text"]


class CompletionIn(Body):
    """What changes nothing about this bot is taken: temperature, seed, most tokens and the like."""

    model: str = Field(max_length=128, description=f"`{MODEL}`")
    messages: list[ChatMessage] = Field(min_length=1, max_length=1_000)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    user: str = rows.optional_text(128, says="Your own id of the customer, to find the talk by")
    metadata: Metadata = Metadata()
    n: Literal[1] = 1
    modalities: list[Literal["text"]] = []
    response_format: TextFormat | None = None
    logprobs: Literal[False] = False
    temperature: Any = None
    top_p: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    frequency_penalty: Any = None
    presence_penalty: Any = None
    seed: Any = None
    store: Any = None
    service_tier: Any = None
    reasoning_effort: Any = None
    verbosity: Any = None
    safety_identifier: Any = None
    prompt_cache_key: Any = None


class QuestionIn(Body):
    messages: str = rows.text(2_000)


class Said(BaseModel):
    role: Literal["assistant"]
    content: str


class Choice(BaseModel):
    index: Literal[0]
    message: Said
    finish_reason: Literal["stop"]


class Usage(BaseModel):
    """Tokens of the bot's own encoder: of the question, and of the answer. Billed is the message."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionOut(BaseModel):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    frontdesk: MessageOut = Field(description="The answer with its kind, sources and citations")


class ChunkEvent(BaseModel):
    """What `stream` asks for: events without a name."""

    data: str = Field(description="A chat.completion.chunk as JSON; of the last event [DONE]")


class Completions(OpenAIView):
    scopes = {"POST": "chat"}
    scoped = False  # no transaction is held open while the encoder works

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return JSONRenderer(), "application/json"  # `stream` says whether it comes as events

    @extend_schema(
        operation_id="create_completion",
        request=CompletionIn,
        responses={
            (200, "application/json"): CompletionOut,
            (200, streaming.MEDIA_TYPE): ChunkEvent,
        },
        examples=[
            OpenApiExample(
                "A question",
                {"model": MODEL, "messages": [{"role": "user", "content": "Where is my order?"}]},
                request_only=True,
            ),
            OpenApiExample(
                "In Chinese, as a stream",
                {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": "我的快递到哪了？"}],
                    "stream": True,
                },
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Any:
        """Ask the bot as a client of OpenAI's API does. Billed as one chat message.

        The last user message is the question. The conversation is the one named by
        `metadata.conversation_id`, else the one that stands at exactly the messages sent before it;
        else it is a new one. System messages are not obeyed: the business sets what its bot does.
        """
        body = self._read()
        talk = _talk(body)
        if talk.conversation_id is None and talk.transcript:
            with self.scope():
                known = conversations.at(talk.transcript, customer=talk.customer)
            talk = replace(talk, conversation_id=known)
        rates.count_message(
            self.principal.tenant_id, of=str(talk.conversation_id or "") or talk.customer
        )
        turn = self._turn(body, talk)
        if not body.stream:
            return Response(completions.whole(talk, turn.say()))
        made, first = production.start(turn, tenant_id=self.principal.tenant_id)
        events = streams.follow(made, first, language=talk.language)
        return EventStream(completions.chunks(talk, events))

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Replay) and (body := self._read()).stream:
            given = exc.response.data
            talk = replace(_talk(body), created=given["created"])
            return EventStream(completions.chunks(talk, streaming.again(given["frontdesk"])))
        return super().handle_exception(exc)

    def _read(self) -> CompletionIn:
        """The body; what clients send as null is not given."""
        data = self.request.data
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None}
        body = validated(CompletionIn, data)
        if body.model != MODEL:
            said = f"There is no model {body.model!r}. Use {MODEL!r}."
            raise UnknownModel([{"field": "model", "message": said}])
        return body

    def _turn(self, body: CompletionIn, talk: Talk) -> dialog.Turn[dict[str, Any]]:
        named = body.metadata.conversation_id is not None

        def begin() -> None:
            try:
                self.claim()
            except Replay as replay:
                if not body.stream:
                    raise
                raise Replay(Response(replay.response.data["frontdesk"])) from None
            if talk.conversation_id and not named:
                conversations.go_on(talk.conversation_id, transcript=talk.transcript)

        def end(told: dialog.Told) -> dict[str, Any]:
            message: dict[str, Any] = self.answer(message_out(told)).data
            self.keep(Response(completions.whole(talk, message)))
            conversations.stand(told.conversation_id, transcript=talk.transcript_after(message))
            return message

        said = dialog.Said(
            talk.question, talk.language, talk.conversation_id, customer=talk.customer
        )
        return dialog.Turn(
            said, scope=self.scope, api_key=self.principal.key_id, begin=begin, end=end
        )


def _talk(body: CompletionIn) -> Talk:
    """The question, and what went before it; raises InvalidBody where there is none."""
    turns = [(message.role, message.text) for message in body.messages if message.is_said]
    if not turns or turns[-1][0] != "user":
        said = "The last message must be the user's: it is the question."
        raise InvalidBody([{"field": "messages", "message": said}])
    question = validated(QuestionIn, {"messages": turns[-1][1]}).messages
    return Talk(
        question,
        before=tuple(turns[:-1]),
        language=language_of(question),
        customer=body.user,
        conversation_id=body.metadata.conversation_id,
        created=int(time.time()),
        usage=body.stream_options.include_usage,
    )
