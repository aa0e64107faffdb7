"""The API of labels by hand: the queue, several annotators, what they disagree on."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, PageQuery, View, page, page_of
from saas.labelling import labels
from saas.labelling.api import READ, WRITE
from saas.labelling.api.turns import QueuedOut, queued_out
from saas.labelling.models import Annotation, Turn


class LabelIn(Body):
    turn: UUID
    intent: str = rows.text(128, says="What the customer wants")
    annotator: rows.Identifier | None = Field(
        default=None, description="Who says so; the key where it is not given"
    )


class LabelsIn(RootModel[Annotated[list[LabelIn], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 labels."""


class Labelled(BaseModel):
    created: int
    updated: int
    unchanged: int


class Agreement(BaseModel):
    alpha: float | None = Field(description="Krippendorff's: 1 is full agreement, 0 that of chance")
    turns: int = Field(description="How many have two labels or more")


class Label(BaseModel):
    annotator: str
    intent: str


class DisputeOut(BaseModel):
    id: UUID
    text: str
    labels: list[Label]


class Queue(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_label_queue", parameters=[PageQuery], responses={200: page_of(QueuedOut)}
    )
    def get(self, request: Request) -> Response:
        """Turns worth a label, the most so first, with what the live model takes them for."""
        waiting = Turn.objects.filter(state=Turn.State.OPEN, worth__isnull=False)
        return page(self, waiting, queued_out, ordering="-worth")


class Labels(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="label_turns",
        request=LabelsIn,
        responses={200: Labelled},
        examples=[
            OpenApiExample(
                "One",
                [{"turn": "1b4e28ba-2fa1-4d3b-8f0e-0d5c1f2a7b90", "intent": "order_status"}],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Label turns. Annotators of one mind make an example; a disagreement waits for a last word."""
        body = self.read(LabelsIn)
        given = [
            labels.AnnotationRow(
                turn=row.turn, intent=row.intent, annotator=row.annotator or self.principal.actor
            )
            for row in body.root
        ]
        done = labels.write(given)
        counts = {name: done.count(name) for name in ("created", "updated", "unchanged")}
        return self.answer(Labelled(**counts))


class OneAgreement(View):
    scopes = {"GET": READ}

    @extend_schema(operation_id="get_agreement", responses={200: Agreement})
    def get(self, request: Request) -> Response:
        """How far annotators agree, beyond chance."""
        alpha, turns_ = labels.agreement()
        return self.answer(Agreement(alpha=alpha, turns=turns_))


class Disagreements(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_disagreements",
        parameters=[PageQuery],
        responses={200: page_of(DisputeOut)},
    )
    def get(self, request: Request) -> Response:
        """Turns that annotators disagree on, the newest first."""
        disputed = Turn.objects.filter(state=Turn.State.DISPUTED).prefetch_related("annotations")
        return page(self, disputed, _dispute_out, ordering="-at")


def _dispute_out(row: Turn) -> DisputeOut:
    found: list[Annotation] = sorted(row.annotations.all(), key=lambda a: a.annotator)
    labels = [Label(annotator=label.annotator, intent=label.intent) for label in found]
    return DisputeOut(id=row.id, text=row.text, labels=labels)
