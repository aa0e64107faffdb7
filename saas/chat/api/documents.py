"""The API of documents: files that become passages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from saas.api import NO_CONTENT, PageQuery, View, page, page_of, validated
from saas.chat import documents, pages, suspects
from saas.chat.api import READ, WRITE
from saas.chat.api.suspects import SuspectOut, suspect_out
from saas.chat.models import Document
from saas.chat.reading.formats import FORMATS
from saas.errors import Problem

SHOWN = 20


class DocumentOut(BaseModel):
    id: UUID
    name: str
    language: str
    product: str
    audience: str
    valid_from: date | None
    valid_until: date | None
    size: int = Field(description="Bytes")
    state: Literal["queued", "reading", "ready", "failed"]
    error: str = Field(description="Why it, or a part of it, could not be read, and what to do")
    sitemap: str = Field(description="Of a page: what named it. Of a sitemap: itself")
    pages: int | None = Field(description="Null where the format has none, or before it is read")
    pages_read: int
    progress: float | None = Field(
        description="The share that has been read, 0..1; null where only `passages` tells"
    )
    passages: int = Field(description="What was made of it so far")
    suspects: int = Field(
        description="Passages that give orders to language models: none reads them until released"
    )
    searchable: int = Field(description="How many of these can be found by now")
    created_at: datetime
    updated_at: datetime


UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "name": {"type": "string", "maxLength": 200},
            "language": {"type": "string", "enum": ["en", "zh"]},
            "product": {"type": "string", "maxLength": 128},
            "audience": {"type": "string", "maxLength": 128},
            "valid_from": {"type": "string", "format": "date"},
            "valid_until": {"type": "string", "format": "date"},
        },
    }
}


class WholeDocument(DocumentOut):
    suspect_passages: list[SuspectOut] = Field(description=f"The first {SHOWN} of them")


def _out(row: Document) -> DocumentOut:
    return DocumentOut.model_validate(row, from_attributes=True)


class Documents(View):
    scopes = {"GET": READ, "POST": WRITE}
    idempotent = False  # the same file again changes nothing by itself
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="list_documents", parameters=[PageQuery], responses={200: page_of(DocumentOut)}
    )
    def get(self, request: Request) -> Response:
        """Documents, the latest first."""
        return page(self, documents.listed(), _out, ordering="-updated_at")

    @extend_schema(operation_id="send_document", request=UPLOAD, responses={202: DocumentOut})
    def post(self, request: Request) -> Response:
        """Send a file to answer from; it is read in the background.

        PDF, Word, Excel, PowerPoint, HTML, Markdown or text. A file of the same name replaces the
        one before: what is the same stays, what has changed is read anew, what is gone answers no
        more.
        """
        file = request.FILES.get("file")
        if file is None:
            raise Problem("Send the file as the form field 'file'.")
        given = {key: value for key, value in request.POST.dict().items() if value}
        form = validated(documents.DocumentForm, {"name": file.name} | given)
        if not form.name.lower().endswith(tuple(FORMATS)):
            known = ", ".join(sorted(FORMATS))
            raise Problem(f"The name must end in one of {known}.", code="unknown_format")
        document, _ = documents.put(form, file, actor=self.principal.actor)
        return self.answer(_out(documents.listed().get(id=document.id)), status=202)


class PagesOut(BaseModel):
    documents: list[UUID] = Field(
        description="Of the sitemap and of `urls`; the pages that it names follow in the background"
    )


class Pages(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="fetch_pages",
        request=pages.PagesForm,
        responses={202: PagesOut},
        examples=[
            OpenApiExample("A page", {"urls": ["https://shop.example/help"]}, request_only=True),
            OpenApiExample(
                "A site", {"sitemap": "https://shop.example/sitemap.xml"}, request_only=True
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Answer from web pages; they are fetched and read in the background.

        Asked for again, what has changed is read anew and what is gone answers no more. Only public
        servers are called. Each page is one of your documents, and so is the sitemap: there stands
        what could not be read and why.
        """
        form = validated(pages.PagesForm, request.data)
        if not form.urls and not form.sitemap:
            raise Problem("Name pages in 'urls', or a 'sitemap'.")
        found = pages.ask(form, actor=self.principal.actor)
        return self.answer(PagesOut(documents=[document.id for document in found]), status=202)


class OneDocument(View):
    scopes = {"GET": READ, "DELETE": WRITE}

    @extend_schema(operation_id="get_document", responses={200: WholeDocument})
    def get(self, request: Request, id: UUID) -> Response:
        """One document, how far it has been read, and what in it is suspect."""
        row = documents.listed().get(id=id)
        found = suspects.found().filter(document=row).order_by("page", "id")[:SHOWN]
        shown = [suspect_out(passage) for passage in found]
        return self.answer(WholeDocument(**_out(row).model_dump(), suspect_passages=shown))

    @extend_schema(operation_id="delete_document", responses={204: NO_CONTENT})
    def delete(self, request: Request, id: UUID) -> Response:
        """Delete a document with all its passages: no answer after this one rests on it.

        With a sitemap go the pages that it named.
        """
        documents.remove(id, actor=self.principal.actor)
        return Response(status=204)
