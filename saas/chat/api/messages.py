"""The API of messages: what a customer says, and what the bot answers."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ml.language import language_of
from saas import rates, rows
from saas.api import Body, Replay, View
from saas.chat import answers, conversations, dialog, production, streams
from saas.chat.api import streaming
from saas.chat.api.streaming import EventStream


class MessageIn(Body):
    """What a customer says."""

    text: str = rows.text(2_000, says="The customer's words, in Chinese or English")
    conversation_id: UUID | None = Field(
        default=None, description="From an earlier answer, to go on with it; not given, a new one"
    )
    customer: str = rows.optional_text(128, says="Your own id of the customer, to find the talk by")
    language: rows.Language | None = Field(
        default=None, description="Of the answer; that of the text where it is not given"
    )
    product: str = rows.optional_text(128, says="Leave out what you know of other products")
    audience: str = rows.optional_text(
        128, says="Also answer with what is for these; secret keys only"
    )


class SourceOut(BaseModel):
    id: UUID
    question: str = Field(description="Or the headings above it in a document")
    document: str
    page: int | None = Field(default=None, description="Of a document that has pages")
    score: float = Field(description="Cosine of question and passage")


class CitationOut(BaseModel):
    """What a part of the answer's text rests on."""

    start: int = Field(description="Of the part, in characters of the text from 0 on")
    end: int = Field(description="The character after it")
    source: UUID = Field(description="The id of the passage, among `sources`")
    quote: str = Field(description="The passage's own words")


class Guess(BaseModel):
    intent: str
    probability: float


class OptionOut(BaseModel):
    """Something to choose; the customer answers with its text, or its place."""

    text: str
    intent: str | None = Field(default=None, description="Where it is one of your intents")


class ItemShown(BaseModel):
    """An item of your catalog."""

    id: str
    title: str
    price: str | None
    currency: str
    why: str
    url: str = Field(default="", description="Its page")
    image: str = Field(default="", description="Its picture")


class AnswerOut(BaseModel):
    """`kind` is what the answer is made of.

    reply (approved reply), passage (quoted from the knowledge), composed (from it, by a language
    model), items (of your catalog), action (live data from your server), ask (for what an action
    needs), clarify (which of the options is meant), talk (greetings, thanks, opening hours), fallback,
    handoff, or refusal.
    """

    kind: Literal[
        "reply",
        "passage",
        "composed",
        "items",
        "action",
        "ask",
        "clarify",
        "talk",
        "fallback",
        "handoff",
        "refusal",
    ]
    text: str
    language: rows.Language
    intent: str | None = Field(description="The likeliest intent; null before any training")
    confidence: float | None = Field(description="Of the intent, 0 to 1; null before any training")
    in_scope: bool = Field(description="False where the text seems to be none of your intents")
    alternatives: list[Guess] = Field(description="The next likeliest intents")
    sources: list[SourceOut] = Field(description="The passages that the answer rests on")
    citations: list[CitationOut] = Field(description="Which words of them support which part")
    understood: str = Field(
        description="What the text was taken for, where it goes on with the question before it"
    )
    options: list[OptionOut] = Field(description="What the customer may choose from")
    items: list[ItemShown] = Field(description="Available ones, the best first")


class MessageOut(BaseModel):
    conversation_id: UUID
    message_id: UUID = Field(description="Of the answer; of the customer's message where none is")
    state: Literal["bot", "waiting", "agent"] = Field(description="Who answers from now on")
    answer: AnswerOut | None = Field(description="Null while a person answers, or is waited for")


class Messages(View):
    scopes = {"POST": "chat"}
    scoped = False  # no transaction is held open while the encoder works
    renderer_classes = [JSONRenderer, streaming.Events]

    @extend_schema(
        operation_id="send_message",
        request=MessageIn,
        responses={
            (200, "application/json"): MessageOut,
            (200, streaming.MEDIA_TYPE): streaming.AnswerEvent,
        },
        examples=[
            OpenApiExample("English", {"text": "Where is my order?"}, request_only=True),
            OpenApiExample("Chinese", {"text": "我的快递到哪了？"}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Any:
        """Ask the bot. Billed as one chat message; an error, or what a person answers, is not billed.

        With `Accept: text/event-stream` the answer comes as events while it is made. It goes on to its
        end, and is billed, where you hang up; `GET /v1/chat/messages/{id}/events` reads on.
        """
        body = self.read(MessageIn)
        if body.audience and self.principal.origins is not None:
            # Anybody who opens the page holds this key, and could call themselves what they like.
            raise PermissionDenied("Only a secret key may say for which audience it asks.")
        rates.count_message(
            self.principal.tenant_id, of=str(body.conversation_id or "") or body.customer
        )
        return self.told(self._turn(body))

    def told(self, turn: dialog.Turn[dict[str, Any]]) -> Any:
        """Its answer, or the stream of it, as the request asks for."""
        if not streaming.wanted(self.request):
            return Response(turn.say())
        made, first = production.start(turn, tenant_id=self.principal.tenant_id)
        events = streams.follow(made, first, language=turn.said.language)
        return EventStream(streaming.told(events))

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, Replay) and streaming.wanted(self.request):
            return EventStream(streaming.told(streaming.again(exc.response.data)))
        return super().handle_exception(exc)

    def _turn(self, body: MessageIn) -> dialog.Turn[dict[str, Any]]:
        said = dialog.Said(
            body.text,
            body.language or language_of(body.text),
            body.conversation_id,
            customer=body.customer,
            product=body.product,
            audience=body.audience,
        )

        return dialog.Turn(
            said, scope=self.scope, api_key=self.principal.key_id, begin=self.claim, end=self.kept
        )

    def kept(self, told: dialog.Told) -> dict[str, Any]:
        """The answer as it is given, kept for the call's Idempotency-Key."""
        message: dict[str, Any] = self.keep(self.answer(message_out(told))).data
        return message


def message_out(told: dialog.Told) -> MessageOut:
    return MessageOut(
        conversation_id=told.conversation_id,
        message_id=told.message_id,
        state=told.state,  # type: ignore[arg-type]
        answer=_answer_out(told.answer) if told.answer else None,
    )


def _answer_out(answer: answers.Answer) -> AnswerOut:
    return AnswerOut(
        kind=answer.kind,  # type: ignore[arg-type]
        text=answer.text,
        language=answer.language,  # type: ignore[arg-type]
        intent=answer.intent,
        confidence=answer.confidence,
        in_scope=answer.in_scope,
        alternatives=[Guess(intent=i, probability=p) for i, p in answer.alternatives],
        sources=[SourceOut(**source.as_json()) for source in answer.sources],
        citations=[CitationOut(**citation.as_json()) for citation in answer.citations],
        understood=answer.understood,
        options=[OptionOut(**option) for option in answer.options],
        items=[ItemShown(**item) for item in answer.items],
    )


class MeantIn(Body):
    intent: str = rows.text(128, says="What the customer really meant")


class MeantOut(BaseModel):
    id: UUID
    text: str
    intent: str
    guessed: str = Field(description="What the bot had taken it for")


class CorrectMessage(View):
    scopes = {"POST": "examples:write"}

    @extend_schema(
        operation_id="correct_answer",
        request=MeantIn,
        responses={200: MeantOut},
        examples=[OpenApiExample("An intent", {"intent": "order_status"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Say what the customer meant whom this answer of the bot misunderstood."""
        body = self.read(MeantIn)
        row = conversations.correct(id, body.intent, actor=self.principal.actor)
        return self.answer(MeantOut.model_validate(row, from_attributes=True))
