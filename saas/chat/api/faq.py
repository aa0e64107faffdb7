"""The API of proposed knowledge: questions that people had to answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import PageQuery, View, page, page_of
from saas.chat import faq, knowledge
from saas.chat.api import READ, WRITE
from saas.chat.models import FaqProposal


class FaqProposalOut(BaseModel):
    id: UUID
    question: str = Field(description="As a customer asked it last, without personal data")
    answer: str = Field(description="As an agent answered it last, without personal data")
    language: str
    count: int = Field(description="How often it was asked, in whatever words")
    sources: list[UUID] = Field(description="Conversations that it was asked in, 20 at most")
    passage: UUID | None = Field(
        description="What the knowledge may say about it already; once accepted, what it became"
    )
    state: Literal["open", "accepted", "dismissed"]
    created_at: datetime


class AcceptFaqIn(knowledge.ApplicableRow):
    """What is edited; the proposal's own where it is left out."""

    question: str = rows.optional_text(2_000)
    answer: str = rows.optional_text(20_000)
    language: rows.Language | None = None
    source: str = rows.optional_text(200, says="Where it comes from; shown with the answer")


class Sought(BaseModel):
    conversations: int = Field(description="That agents had and ended in the last 90 days")


def _out(row: FaqProposal) -> FaqProposalOut:
    return FaqProposalOut.model_validate(row, from_attributes=True)


class FaqProposals(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_faq_proposals",
        parameters=[PageQuery],
        responses={200: page_of(FaqProposalOut)},
    )
    def get(self, request: Request) -> Response:
        """Open proposals of question-answer pairs, what was asked most first."""
        queryset = FaqProposal.objects.filter(state=FaqProposal.State.OPEN)
        return page(self, queryset, _out, ordering="-count")

    @extend_schema(operation_id="find_faq_proposals", request=None, responses={202: Sought})
    def post(self, request: Request) -> Response:
        """Find proposals anew, in the background: in what agents answered. It is done daily by itself.

        Open proposals are replaced; what was accepted or dismissed is not proposed again.
        """
        faq.start()
        return self.answer(Sought(conversations=faq.ended().count()), status=202)


class AcceptFaqProposal(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="accept_faq_proposal",
        request=AcceptFaqIn,
        responses={200: FaqProposalOut},
        examples=[
            OpenApiExample(
                "With a better answer",
                {"answer": "Parcels to Norway take nine days."},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Write a proposal into the knowledge, as it is or as you edit it."""
        row = FaqProposal.objects.select_for_update().get(id=id)
        edited: dict[str, Any] = {
            name: value for name, value in self.read(AcceptFaqIn).model_dump().items() if value
        }
        own = {"question": row.question, "answer": row.answer, "language": row.language}
        written = knowledge.PassageRow.model_validate(own | edited)
        faq.accept(row, written, actor=self.principal.actor)
        return self.answer(_out(row))


class DismissFaqProposal(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="dismiss_faq_proposal", request=None, responses={200: FaqProposalOut}
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Dismiss a proposal: neither it nor what asks the same is proposed again."""
        row = FaqProposal.objects.select_for_update().get(id=id)
        faq.dismiss(row, actor=self.principal.actor)
        return self.answer(_out(row))
