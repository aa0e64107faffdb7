"""The API of the labelling desk: from raw conversations to examples and replies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, RootModel, model_validator
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import BatchResult, Body, PageQuery, View, page, page_of, store_batch
from saas.labelling import findings, jobs, labels, proposals, turns
from saas.labelling.models import Annotation, Finding, Job, Proposal, Turn

READ, WRITE = "examples:read", "examples:write"


class TurnRows(RootModel[Annotated[list[turns.TurnRow], Field(min_length=1, max_length=1000)]]):
    """Up to 1,000 turns."""


class JobIn(Body):
    kind: Literal["discover", "select", "check"] = Field(
        description="`discover` proposes intents, `select` fills the queue, `check` looks for errors"
    )


class JobOut(BaseModel):
    id: UUID
    kind: str
    state: Literal["queued", "running", "succeeded", "failed"]
    texts: int = Field(description="How many were read")
    found: int = Field(description="Proposals, turns or findings")
    error: str
    created_at: datetime
    finished_at: datetime | None


class ProposalOut(BaseModel):
    id: UUID
    name: str
    keywords: list[str]
    examples: list[str]
    replies: dict[str, str]
    quality: float
    size: int
    state: Literal["open", "accepted", "rejected"]


class ProposalIn(Body):
    """What to do with a proposal."""

    action: Literal["accept", "reject", "rename", "merge", "split"]
    name: str | None = Field(default=None, min_length=1, max_length=128, pattern=rows.NAME)
    other: UUID | None = Field(
        default=None, description="The proposal that is merged into this one"
    )
    turns: list[UUID] = Field(default=[], max_length=1000, description="What `split` moves")
    replies: bool = Field(default=False, description="Whether `accept` writes the replies too")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for action, needed in (("merge", "other"), ("rename", "name"), ("split", "turns")):
            if self.action == action and not getattr(self, needed):
                raise ValueError(f"to {action} a proposal, give `{needed}`")
        return self


class AcceptIn(Body):
    quality: float = Field(default=0.5, ge=0, le=1, description="The least quality accepted")
    replies: bool = Field(default=False, description="Write the proposed replies too")


class Accepted(BaseModel):
    proposals: int
    examples: int


class Suggestion(BaseModel):
    intent: str
    confidence: float


class QueuedOut(BaseModel):
    id: UUID
    text: str
    conversation: str
    at: datetime
    state: Literal["open", "labelled", "disputed", "skipped"]
    worth: float | None
    suggestions: list[Suggestion]


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


class ResolveIn(Body):
    intent: str | None = Field(
        default=None, min_length=1, max_length=128, pattern=rows.NAME, description="None: skip it"
    )


class FindingOut(BaseModel):
    id: UUID
    kind: Literal["label", "duplicate"]
    text: str
    intent: str
    other: str = Field(description="The suggested intent, or the text that it repeats")
    score: float
    state: Literal["open", "accepted", "dismissed"]


class FindingIn(Body):
    state: Literal["accepted", "dismissed"]


def _proposal_out(row: Proposal) -> ProposalOut:
    return ProposalOut.model_validate(row, from_attributes=True)


def _queued_out(row: Turn) -> QueuedOut:
    return QueuedOut.model_validate(row, from_attributes=True)


def _job_out(row: Job) -> JobOut:
    return JobOut.model_validate(row, from_attributes=True)


class Turns(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="write_turns",
        request=TurnRows,
        responses={200: BatchResult},
        examples=[
            OpenApiExample(
                "A question and its answer",
                [
                    {
                        "conversation": "t-1",
                        "author": "customer",
                        "text": "我的快递到哪了",
                        "at": "2026-11-01T09:00:00Z",
                    },
                    {
                        "conversation": "t-1",
                        "author": "agent",
                        "text": "已经在派送中。",
                        "at": "2026-11-01T09:01:00Z",
                    },
                ],
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Write turns of raw conversations, up to 1,000. A turn sent again changes nothing."""
        return store_batch(turns.KIND, request.data)


class OneTurn(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="settle_turn",
        request=ResolveIn,
        responses={200: QueuedOut},
        examples=[OpenApiExample("An intent", {"intent": "order_status"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """The last word on a turn: its intent, or that it is skipped."""
        body = self.read(ResolveIn)
        turn = Turn.objects.select_for_update().get(id=id, author="customer")
        if body.intent is None:
            labels.skip(turn)
        else:
            labels.resolve(turn, body.intent)
        return self.answer(_queued_out(turn))


class Jobs(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_labelling_jobs", parameters=[PageQuery], responses={200: page_of(JobOut)}
    )
    def get(self, request: Request) -> Response:
        """Jobs, the newest first."""
        return page(self, Job.objects.all(), _job_out, ordering="-created_at")

    @extend_schema(
        operation_id="start_labelling_job",
        request=JobIn,
        responses={202: JobOut},
        examples=[OpenApiExample("Propose intents", {"kind": "discover"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Start a job. One of a kind at a time."""
        job = jobs.start(self.read(JobIn).kind, actor=self.principal.actor)
        return self.answer(_job_out(job), 202)


class Proposals(View):
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="list_proposals", parameters=[PageQuery], responses={200: page_of(ProposalOut)}
    )
    def get(self, request: Request) -> Response:
        """Proposed intents, the largest first."""
        return page(self, Proposal.objects.all(), _proposal_out, ordering="-size")

    @extend_schema(
        operation_id="accept_proposals",
        request=AcceptIn,
        responses={200: Accepted},
        examples=[OpenApiExample("The good ones", {"quality": 0.5}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Accept every open proposal of that quality or more, with examples and, if wanted, replies."""
        body = self.read(AcceptIn)
        _may_reply(self, body.replies)
        good = Proposal.objects.select_for_update().filter(
            state=Proposal.State.OPEN, quality__gte=body.quality
        )
        written = [
            proposals.accept(row, with_replies=body.replies, actor=self.principal.actor)
            for row in good.order_by("id")
        ]
        return self.answer(Accepted(proposals=len(written), examples=sum(written)))


class OneProposal(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="decide_proposal",
        request=ProposalIn,
        responses={200: ProposalOut},
        examples=[OpenApiExample("Reject", {"action": "reject"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Accept, reject, rename, merge or split a proposal; `split` answers with the new one."""
        body = self.read(ProposalIn)
        row = Proposal.objects.select_for_update().get(id=id)
        return self.answer(_proposal_out(self._decide(row, body)))

    def _decide(self, row: Proposal, body: ProposalIn) -> Proposal:
        actor = self.principal.actor
        if body.action == "split":
            return proposals.split(row, body.turns, body.name or f"{row.name}_2"[-128:])
        if body.action == "merge":
            proposals.merge(row, Proposal.objects.select_for_update().get(id=body.other))
        if body.action == "reject":
            proposals.close(row, Proposal.State.REJECTED, actor=actor)
        elif body.name:
            proposals.rename(row, body.name)
        if body.action == "accept":
            _may_reply(self, body.replies)
            proposals.accept(row, with_replies=body.replies, actor=actor)
        return row


def _may_reply(view: View, wanted: bool) -> None:
    if wanted and "knowledge:write" not in view.principal.scopes:
        raise PermissionDenied("This key lacks the scope 'knowledge:write', which replies need.")


class ProposalTurns(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_proposal_turns",
        parameters=[PageQuery],
        responses={200: page_of(QueuedOut)},
    )
    def get(self, request: Request, id: UUID) -> Response:
        """The turns of a proposal, the most typical first."""
        row = Proposal.objects.only("id").get(id=id)
        return page(self, row.turns.all(), _queued_out, ordering="-typicality")


class Queue(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_label_queue", parameters=[PageQuery], responses={200: page_of(QueuedOut)}
    )
    def get(self, request: Request) -> Response:
        """Turns worth a label, the most so first, with what the live model takes them for."""
        waiting = Turn.objects.filter(state=Turn.State.OPEN, worth__isnull=False)
        return page(self, waiting, _queued_out, ordering="-worth")


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


def _finding_out(row: Finding) -> FindingOut:
    return FindingOut.model_validate(row, from_attributes=True)


class Findings(View):
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_findings", parameters=[PageQuery], responses={200: page_of(FindingOut)}
    )
    def get(self, request: Request) -> Response:
        """Probable label errors and near-duplicates among the examples, the surest first."""
        return page(self, Finding.objects.all(), _finding_out, ordering="-score")


class OneFinding(View):
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="decide_finding",
        request=FindingIn,
        responses={200: FindingOut},
        examples=[OpenApiExample("Dismiss", {"state": "dismissed"}, request_only=True)],
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Accept a finding (the example is relabelled, or deleted as a duplicate) or dismiss it."""
        body = self.read(FindingIn)
        row = Finding.objects.select_for_update().get(id=id)
        findings.close(row, body.state)
        return self.answer(_finding_out(row))
