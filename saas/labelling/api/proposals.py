"""The API of proposed intents."""

from __future__ import annotations

from typing import Literal, Self
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from pydantic import BaseModel, Field, model_validator
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from saas import rows
from saas.api import Body, PageQuery, View, page, page_of
from saas.labelling import proposals
from saas.labelling.api import READ, WRITE
from saas.labelling.api.turns import QueuedOut, queued_out
from saas.labelling.models import Proposal


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


def _proposal_out(row: Proposal) -> ProposalOut:
    return ProposalOut.model_validate(row, from_attributes=True)


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
        return page(self, row.turns.all(), queued_out, ordering="-typicality")
