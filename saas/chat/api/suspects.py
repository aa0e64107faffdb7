"""The API of suspect knowledge: what gives orders to language models, and who let them read it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import PageQuery, View, page, page_of
from saas.chat import suspects
from saas.chat.api import READ, WRITE
from saas.chat.models import Passage


class SuspectOut(BaseModel):
    """A passage that gives orders to language models: none reads it, unless it was released."""

    id: UUID
    heading: str = Field(description="Or the question, of a pair")
    text: str
    document_id: UUID | None = Field(description="Null of a question-answer pair")
    page: int | None
    released_by: str = Field(description="Who let language models read it; empty while held back")
    released_at: datetime | None


class SuspectsQuery(PageQuery):
    held: bool | None = Field(default=None, description="Only those held back, or only released")


def suspect_out(row: Passage) -> SuspectOut:
    return SuspectOut(
        id=row.id,
        heading=row.question,
        text=row.answer,
        document_id=row.document_id,
        page=row.page,
        released_by=row.released_by,
        released_at=row.released_at,
    )


class Suspects(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_suspects",
        parameters=[SuspectsQuery],
        responses={200: page_of(SuspectOut)},
    )
    def get(self, request: Request) -> Response:
        """Pairs and passages of documents that give orders to language models, the newest first."""
        held, found = self.query(SuspectsQuery).held, suspects.found()
        if held is not None:
            found = found.filter(released_at__isnull=held)
        return page(self, found, suspect_out, ordering="-created_at", query=SuspectsQuery)


class ReleaseSuspect(View):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="release_suspect", request=None, responses={200: SuspectOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Let language models read a suspect passage. It stays so until its words change."""
        return self.answer(suspect_out(suspects.release(id, actor=self.principal.actor)))


class HoldSuspect(View):
    scopes = {"POST": WRITE}

    @extend_schema(operation_id="hold_suspect", request=None, responses={200: SuspectOut})
    def post(self, request: Request, id: UUID) -> Response:
        """Keep a released passage from language models again."""
        return self.answer(suspect_out(suspects.hold(id, actor=self.principal.actor)))
