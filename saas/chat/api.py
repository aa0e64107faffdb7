"""The API of chat: messages, conversations, knowledge, replies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from ml.language import language_of
from saas import rows
from saas.api import NO_CONTENT, BatchResult, Body, PageQuery, View, page, page_of, store_batch
from saas.billing import quota, usage
from saas.billing.models import Kind as Metered
from saas.chat import answers, conversations, knowledge, replies
from saas.chat.models import Conversation, Message, Passage, Reply


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


class SourceOut(BaseModel):
    id: UUID
    question: str
    document: str
    score: float = Field(description="Cosine of question and passage")


class Guess(BaseModel):
    intent: str
    probability: float


class AnswerOut(BaseModel):
    """`kind` is reply (approved reply), passage (from the knowledge) or fallback."""

    kind: Literal["reply", "passage", "fallback"]
    text: str
    language: rows.Language
    intent: str | None = Field(description="The likeliest intent; null before any training")
    confidence: float | None = Field(description="Of the intent, 0 to 1; null before any training")
    in_scope: bool = Field(description="False where the text seems to be none of your intents")
    alternatives: list[Guess] = Field(description="The next likeliest intents")
    sources: list[SourceOut] = Field(description="The passages that the answer rests on")


class MessageOut(BaseModel):
    conversation_id: UUID
    message_id: UUID
    answer: AnswerOut


class Messages(View):
    scopes = {"POST": "chat"}
    scoped = False  # no transaction is held open while the encoder works

    @extend_schema(
        operation_id="send_message",
        request=MessageIn,
        responses={200: MessageOut},
        examples=[
            OpenApiExample("English", {"text": "Where is my order?"}, request_only=True),
            OpenApiExample("Chinese", {"text": "我的快递到哪了？"}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Ask the bot. Billed as one chat message; an error is not billed."""
        body = self.read(MessageIn)
        with self.scope():
            if body.conversation_id:
                conversations.check(body.conversation_id)
            conversation_id = body.conversation_id or uuid4()
            plan = answers.plan(conversation_id)
            hold = quota.reserve(Metered.CHAT)
        try:
            return self._answer(body, hold, conversation_id, plan)
        except Exception:
            with self.scope():
                quota.cancel(hold)
            raise

    def _answer(
        self, body: MessageIn, hold: quota.Hold, conversation_id: UUID, plan: answers.Plan
    ) -> Response:
        vectors = plan.encode(body.text)
        language = body.language or language_of(body.text)
        with self.scope():
            self.claim()
            answer = answers.answer(body.text, plan=plan, vectors=vectors, language=language)
            exchange = conversations.store(
                conversation_id=conversation_id,
                new=body.conversation_id is None,
                customer=body.customer,
                text=body.text,
                language=language,
                answer=answer,
            )
            usage.record(
                key=f"message:{exchange.message_id}",
                kind=Metered.CHAT,
                api_key=self.principal.key_id,
            )
            quota.settle(hold)
            return self.keep(self.answer(_message_out(exchange, answer)))


def _message_out(exchange: conversations.Exchange, answer: answers.Answer) -> MessageOut:
    return MessageOut(
        conversation_id=exchange.conversation_id,
        message_id=exchange.message_id,
        answer=AnswerOut(
            kind=answer.kind,  # type: ignore[arg-type]
            text=answer.text,
            language=answer.language,  # type: ignore[arg-type]
            intent=answer.intent,
            confidence=answer.confidence,
            in_scope=answer.in_scope,
            alternatives=[Guess(intent=i, probability=p) for i, p in answer.alternatives],
            sources=[SourceOut(**source.as_json()) for source in answer.sources],
        ),
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


class ConversationOut(BaseModel):
    id: UUID
    customer: str
    language: str
    created_at: datetime
    updated_at: datetime


class StoredMessage(BaseModel):
    id: UUID
    author: Literal["customer", "bot"]
    text: str
    kind: str
    intent: str
    confidence: float | None
    sources: list[SourceOut]
    created_at: datetime


class WholeConversation(ConversationOut):
    messages: list[StoredMessage]


def _conversation_out(row: Conversation) -> ConversationOut:
    return ConversationOut.model_validate(row, from_attributes=True)


class Conversations(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(
        operation_id="list_conversations",
        parameters=[PageQuery],
        responses={200: page_of(ConversationOut)},
    )
    def get(self, request: Request) -> Response:
        """Conversations, the latest first."""
        return page(self, Conversation.objects.all(), _conversation_out, ordering="-updated_at")


class OneConversation(View):
    scopes = {"GET": "conversations:read"}

    @extend_schema(operation_id="get_conversation", responses={200: WholeConversation})
    def get(self, request: Request, id: UUID) -> Response:
        """One conversation with its newest 500 messages, the oldest of them first."""
        row = Conversation.objects.get(id=id)
        found: QuerySet[Message] = Message.objects.filter(conversation=row)
        messages = [
            StoredMessage.model_validate(message, from_attributes=True)
            for message in reversed(found.order_by("-created_at")[:500])
        ]
        whole = WholeConversation(**_conversation_out(row).model_dump(), messages=messages)
        return self.answer(whole)


class KnowledgeRows(
    RootModel[Annotated[list[knowledge.PassageRow], Field(min_length=1, max_length=1000)]]
):
    """Up to 1,000 question-answer pairs."""


class PassageOut(BaseModel):
    id: UUID
    question: str
    answer: str
    language: str
    source: str
    created_at: datetime


class Knowledge(View):
    scopes = {"GET": "knowledge:read", "POST": "knowledge:write"}

    @extend_schema(
        operation_id="list_knowledge", parameters=[PageQuery], responses={200: page_of(PassageOut)}
    )
    def get(self, request: Request) -> Response:
        """Question-answer pairs, the newest first."""
        queryset = Passage.objects.defer("vector")
        return page(
            self,
            queryset,
            lambda row: PassageOut.model_validate(row, from_attributes=True),
            ordering="-created_at",
        )

    @extend_schema(
        operation_id="write_knowledge",
        request=KnowledgeRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One pair",
                [
                    {
                        "question": "Do you ship batteries?",
                        "answer": "Yes, inside the device and by road.",
                        "language": "en",
                        "source": "shipping-guide",
                    }
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write question-answer pairs, up to 1,000. A question that is there gets the new answer.

        They are searchable a moment later.
        """
        return store_batch(knowledge.KIND, request.data)


class OnePassage(View):
    scopes = {"GET": "knowledge:read", "DELETE": "knowledge:write"}

    @extend_schema(operation_id="get_passage", responses={200: PassageOut})
    def get(self, request: Request, id: UUID) -> Response:
        """One question-answer pair."""
        row = Passage.objects.defer("vector").get(id=id)
        return self.answer(PassageOut.model_validate(row, from_attributes=True))

    @extend_schema(operation_id="delete_passage", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete a question-answer pair: no answer after this one rests on it."""
        knowledge.remove(id)
        return Response(status=204)


class ReplyRows(RootModel[Annotated[list[replies.ReplyRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 approved replies."""


class ReplyOut(BaseModel):
    id: UUID
    intent: str
    language: str
    text: str


class Replies(View):
    scopes = {"GET": "knowledge:read", "POST": "knowledge:write"}

    @extend_schema(
        operation_id="list_replies", parameters=[PageQuery], responses={200: page_of(ReplyOut)}
    )
    def get(self, request: Request) -> Response:
        """Approved replies, by intent."""
        return page(
            self,
            Reply.objects.all(),
            lambda row: ReplyOut.model_validate(row, from_attributes=True),
            ordering="name",
        )

    @extend_schema(
        operation_id="write_replies",
        request=ReplyRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "One reply",
                [{"intent": "refund_status", "language": "en", "text": "Refunds take 5 days."}],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write approved replies, up to 1,000. One of an intent and language replaces the one there."""
        return store_batch(replies.KIND, request.data)


class OneReply(View):
    scopes = {"DELETE": "knowledge:write"}

    @extend_schema(operation_id="delete_reply", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete an approved reply."""
        replies.remove(id)
        return Response(status=204)
